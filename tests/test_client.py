from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.stand_ins import StandIn, serve
from wbc_tf import client
from wbc_tf.artefact.exported import load_generator
from wbc_tf.files.pictures import encode_image, read_photo, read_rgb, write_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.methods.white_box.exported import EXPORTED
from wbc_tf.serving.sample_photo import sample_photo
from wbc_tf.serving.saved_model import save_generator
from wbc_tf.serving.settings import ServingSettings


@pytest.fixture(scope="module")
def server(exported: Path) -> Iterator[StandIn]:
    with serve(exported) as running:
        yield running


@pytest.fixture(scope="module")
def cartoonize(exported: Path) -> Callable[[np.ndarray], np.ndarray]:
    cartoonizer = Cartoonizer.load(exported)
    return lambda photo: cartoonizer(photo, short_side=96)


@pytest.fixture(params=["grpc", "rest"])
def address(server: StandIn, request: pytest.FixtureRequest) -> str:
    return server.grpc_address if request.param == "grpc" else server.rest_url


def near(path: Path, expected: np.ndarray, *, levels: int = 1) -> bool:
    found = read_rgb(path)
    return found.shape == expected.shape and np.abs(found.astype(int) - expected).max() <= levels


def test_sixty_requests_at_once_with_broken_ones_among_them(
    server: StandIn,
    address: str,
    cartoonize: Callable[[np.ndarray], np.ndarray],
    tmp_path: Path,
    call: Callable[..., Any],
) -> None:
    photos, cartoons = tmp_path / "photos", tmp_path / "cartoons"
    photos.mkdir()
    broken = set(range(7, 60, 20))  # three of sixty
    kinds = [sample_photo(24 + 3 * kind, 36) for kind in range(5)]
    expected = [cartoonize(photo) for photo in kinds]
    for number in range(60):
        data = encode_image(kinds[number % 5], file_format="PNG")
        (photos / f"{number:03}.png").write_bytes(data[:-60] if number in broken else data)
    server.turn_away = 20
    outcome = call(
        client,
        f"--server={address}",
        f"--model_name={server.name}",
        f"--input={photos}",
        f"--output={cartoons}",
        "--concurrency=32",
        "--retries=8",
        "--deadline=600",
    )
    assert outcome.out.splitlines()[-1] == "57 written, 0 skipped, 3 failed"
    assert outcome.status == 1
    for number in range(60):
        target = cartoons / f"{number:03}.png"
        assert target.exists() == (number not in broken)
        if number in broken:
            (line,) = [line for line in outcome.err.splitlines() if f"{number:03}.png ->" in line]
            assert "broken or cut off" in line
        else:
            assert near(target, expected[number % 5])
    assert len(list(cartoons.iterdir())) == 57, "nothing half written is left"


def test_reference_photos_through_the_server(
    authors_model: Path, reference: Path, tmp_path: Path, call: Callable[..., Any]
) -> None:
    version = save_generator(
        EXPORTED,
        load_generator(EXPORTED, authors_model),
        tmp_path / "m",
        metadata={"licence": "the authors'"},
        settings=ServingSettings(output_size="working"),
    )
    # One that is reduced to the working resolution, and one that is there already.
    with serve(version) as running:
        for address, name in (
            (running.grpc_address, "liuyifei4"),
            (running.rest_url, "mountain4"),
        ):
            outcome = call(
                client,
                f"--server={address}",
                f"--model_name={running.name}",
                f"--input={reference / 'photos' / name}.jpg",
                f"--output={tmp_path / name}.png",
            )
            assert outcome.out.splitlines()[-1] == "1 written, 0 skipped, 0 failed"
            # One level: the authors' rounding truncates, ours goes to the nearest.
            theirs = read_rgb(reference / "cartoons" / f"{name}.png")
            assert near(tmp_path / f"{name}.png", theirs), name


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    write_image(folder / "a.jpg", sample_photo(20, 30))
    write_image(folder / "b.png", sample_photo(31, 20), alpha=sample_photo(31, 20)[..., 0])
    write_image(folder / "c.webp", sample_photo(22, 22), quality=100)
    write_image(folder / "d.bmp", sample_photo(10, 10))
    write_image(folder / "deep" / "e.png", sample_photo(8, 8))
    return folder


def test_every_format_that_we_read_in_a_tree(
    server: StandIn,
    cartoonize: Callable[[np.ndarray], np.ndarray],
    photos: Path,
    tmp_path: Path,
    call: Callable[..., Any],
) -> None:
    arguments = (
        f"--server={server.rest_url}",
        f"--model_name={server.name}",
        f"--input={photos}",
        f"--output={tmp_path / 'out'}",
        "--recursive",
    )
    outcome = call(client, *arguments)
    assert (outcome.status, outcome.out) == (0, "5 written, 0 skipped, 0 failed\n"), outcome.err
    for source in sorted(path for path in photos.rglob("*") if path.is_file()):
        target = tmp_path / "out" / source.relative_to(photos)
        before, after = read_photo(source), read_photo(target)
        assert after.format == before.format
        lossy = after.format in ("JPEG", "WEBP")
        expected = cartoonize(before.rgb).astype(int)
        assert np.abs(after.rgb - expected).mean() < (8 if lossy else 0.1), source.name
    alpha = read_photo(tmp_path / "out" / "b.png").alpha
    np.testing.assert_array_equal(alpha, read_photo(photos / "b.png").alpha)

    assert call(client, *arguments).out == "0 written, 5 skipped, 0 failed\n"
    assert call(client, *arguments, "--overwrite").out == "5 written, 0 skipped, 0 failed\n"


def test_calls_that_make_no_sense(
    server: StandIn, photos: Path, tmp_path: Path, call: Callable[..., Any]
) -> None:
    out = tmp_path / "out"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
        for arguments, message in [
            ((f"--input={photos}", f"--output={out}"), "--server, --input and --output are needed"),
            (
                (f"--server={server.rest_url}", f"--input={tmp_path}/none", f"--output={out}"),
                "no such file",
            ),
            (
                (f"--server={server.rest_url}", f"--input={photos}", f"--output={out}"),
                "Servable not found",
            ),
            (
                (f"--server={nobody}", f"--input={photos}", f"--output={out}", "--retries=1"),
                "cannot be reached: ",
            ),
            (
                (f"--server={server.rest_url}", f"--input={photos}", "--concurrency=0"),
                "concurrency",
            ),
            ((f"--server={server.rest_url}", "--input=-", f"--output={out}"), "has no name"),
        ]:
            outcome = call(client, *arguments)
            assert outcome.status == 2
            assert message in outcome.err
    assert not out.exists()
