from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.serving.stand_ins import StandIn, serve
from wbc_tf.files.metadata import srgb_profile
from wbc_tf.files.pictures import decode_photo, encode_image, read_photo, write_image
from wbc_tf.inference.jobs import Job, Tally, plan_jobs
from wbc_tf.inference.progress import Console
from wbc_tf.serving.remote import connect
from wbc_tf.serving.remote_photos import cartoonize_remotely
from wbc_tf.serving.sample_photo import sample_photo


@pytest.fixture(scope="module")
def server(exported: Path) -> Iterator[StandIn]:
    with serve(exported) as running:
        yield running


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    write_image(folder / "a.jpg", sample_photo(20, 30))
    write_image(folder / "b.png", sample_photo(31, 20), alpha=sample_photo(31, 20)[..., 0])
    write_image(folder / "c.webp", sample_photo(22, 22), quality=100)
    write_image(folder / "d.bmp", sample_photo(10, 10))
    return folder


def test_an_unreadable_file_fails_alone_and_is_never_sent(
    server: StandIn, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "text.jpg").write_text("hello")
    (photos / "empty.png").write_bytes(b"")
    server.asked = 0
    jobs = plan_jobs([str(photos)], tmp_path / "out")
    connection = connect(server.grpc_address, model_name=server.name)
    with Console() as console:
        tally = cartoonize_remotely(
            connection, jobs, concurrency=3, retries=0, deadline=600, listener=console
        )
    connection.close()
    assert tally == Tally(written=4, skipped=0, failed=2)
    assert server.asked == 4
    errors = capsys.readouterr().err
    assert "text.jpg: not a picture" in errors
    assert "empty.png: an empty file" in errors


class Fixed:
    """A connection that gives every photo the same answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def check(self, *, timeout: float) -> None:
        pass

    def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
        return self.answer

    def close(self) -> None:
        pass


def test_an_answer_in_the_targets_own_format_is_kept_byte_by_byte(
    photos: Path, tmp_path: Path
) -> None:
    answer = encode_image(sample_photo(9, 9), file_format="JPEG", quality=70)
    jobs = plan_jobs([str(photos / "a.jpg")], tmp_path / "out")
    cartoonize_remotely(Fixed(answer), jobs, concurrency=1, retries=0, deadline=600)
    assert jobs[0].target.read_bytes() == answer


def test_an_answer_that_is_no_picture_is_not_written(photos: Path, tmp_path: Path) -> None:
    jobs = plan_jobs([str(photos / "a.jpg")], tmp_path / "out")
    tally = cartoonize_remotely(Fixed(b"oops"), jobs, concurrency=1, retries=0, deadline=600)
    assert tally == Tally(written=0, skipped=0, failed=1)
    assert not jobs[0].target.exists()


def test_no_more_requests_in_flight_than_asked_for(photos: Path, tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), [0], [0]
    three, first = threading.Barrier(3), iter(range(3))

    class Counting(Fixed):
        def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
                is_early = next(first, None) is not None
            if is_early:
                three.wait(300)  # however slow the machine is, three are here at once
            time.sleep(0.02)  # in which a fourth could come
            with lock:
                now[0] -= 1
            return self.answer

    for number in range(20):
        write_image(photos / f"more{number}.png", sample_photo(4, 4))
    jobs = plan_jobs([str(photos)], tmp_path / "out")
    answer = encode_image(sample_photo(4, 4), file_format="PNG")
    tally = cartoonize_remotely(Counting(answer), jobs, concurrency=3, retries=0, deadline=600)
    assert tally.written == 24
    assert most[0] == 3


class Echo(Fixed):
    """A connection that answers with the very picture it got, and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
        self.got.append(image)
        return image


def _photo_of_a_phone(path: Path, *, profile: bytes) -> Job:
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = "somebody", 1
    flat = Image.new("RGB", (12, 8), (231, 80, 61))
    flat.save(path, exif=exif, icc_profile=profile, quality=100, subsampling=0)
    return Job(path, path.with_name(f"cartoon{path.suffix}"))


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_colour_profile_is_applied_before_and_exif_is_put_back_after(
    tmp_path: Path, name: str
) -> None:
    # sRGB with red and blue exchanged: the server, which knows no profiles, would not see it.
    profile = bytearray(srgb_profile())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    job = _photo_of_a_phone(tmp_path / name, profile=bytes(profile))
    echo = Echo()
    cartoonize_remotely(echo, [job], concurrency=1, retries=0, deadline=600)
    local = read_photo(job.source)
    assert np.abs(local.rgb.astype(int) - (231, 80, 61)).max() > 5, "the profile matters"
    np.testing.assert_array_equal(decode_photo(echo.got[0], name="").rgb, local.rgb)
    with Image.open(job.target) as cartoon:
        assert cartoon.getexif()[0x013B] == "somebody"
        assert cartoon.info["icc_profile"] == srgb_profile()
