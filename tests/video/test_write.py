from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import astuple, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.video.clips import MATRICES, Seen, look, make, picture, psnr
from wbc_tf.video.colour import Colour
from wbc_tf.video.formats import CODECS, CONTAINERS, container_of
from wbc_tf.video.frames import Picture, VideoProperties
from wbc_tf.video.read import VideoReader
from wbc_tf.video.write import VideoWriter, lost_properties

PROPERTIES = VideoProperties(Fraction(1, 25), Fraction(25))


def write(
    path: Path,
    properties: VideoProperties = PROPERTIES,
    *,
    codec: str | None = None,
    times: tuple[int, ...] = (0, 1, 2),
    size: tuple[int, int] = (48, 64),
    last: int = 0,
    **options: object,
) -> tuple[Seen, list[str]]:
    container = container_of(path)
    with VideoWriter(
        path,
        container,
        properties,
        height=size[0],
        width=size[1],
        codec=codec or container.codecs[0],
        preset="ultrafast",
        **options,
    ) as writer:
        for number, time in enumerate(times):
            writer.write_picture(Picture(picture(number, *size), time, last))
    return look(path), writer.notes


@pytest.mark.parametrize(
    ("extension", "codec"),
    [(extension, codec) for extension, kind in CONTAINERS.items() for codec in kind.codecs],
)
def test_every_codec_goes_into_its_containers(tmp_path: Path, extension: str, codec: str) -> None:
    seen, notes = write(tmp_path / f"a{extension}", codec=codec, size=(64, 96))
    assert notes == []
    assert len(seen.frames) == 3
    assert seen.rate == 25
    for number, frame in enumerate(seen.frames):
        assert psnr(frame, picture(number, 64, 96)) > (80 if codec == "ffv1" else 32)


def test_the_quality_is_what_was_asked_for(tmp_path: Path) -> None:
    def size(crf: int) -> int:
        write(tmp_path / "a.mp4", size=(120, 160), crf=crf)
        return (tmp_path / "a.mp4").stat().st_size

    assert size(40) < size(18) < size(1)


def test_apple_knows_h265_by_one_name_only(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", codec="hevc")
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_the_shortest_h265_videos_have_times_of_decoding(tmp_path: Path, name: str) -> None:
    for times in ((0,), (0, 1)):
        seen, notes = write(tmp_path / name, codec="hevc", times=times)
        assert notes == []
        assert seen.times == [Fraction(time, 25) for time in times]
        with av.open(str(tmp_path / name)) as container:
            for packet in container.demux(video=0):
                if packet.dts is not None:
                    assert 0 <= (packet.pts - packet.dts) * packet.time_base <= Fraction(2, 25)


@pytest.mark.parametrize(
    "properties",
    [
        replace(PROPERTIES, colour=Colour(5, 2, 5, 6), pixel_shape=Fraction(16, 11)),
        replace(PROPERTIES, colour=Colour(9, 1, 9, 14), matrix=MATRICES[6]),
        replace(
            PROPERTIES,
            matrix=(46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30),
            metadata={"title": "x", "com.apple.quicktime.make": "y"},
        ),
        replace(PROPERTIES, time_base=Fraction(1001, 30000), rate=Fraction(30000, 1001)),
        replace(PROPERTIES, time_base=Fraction(1, 600)),
    ],
)
def test_mp4_keeps_the_form(tmp_path: Path, properties: VideoProperties) -> None:
    size = (64, 48) if properties.orientation.swapped else (48, 64)
    seen, notes = write(tmp_path / "a.mp4", properties, size=size)
    assert notes == []
    assert seen.times == [n * properties.time_base for n in range(3)]
    assert seen.time_base == Fraction(1, properties.time_base.denominator)
    assert seen.matrix == properties.matrix
    assert seen.shape == properties.pixel_shape
    assert seen.tags.items() >= properties.metadata.items()
    if properties.colour != Colour():
        assert seen.colour == astuple(properties.colour)
    assert seen.frames[0].shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("name", "last"),
    [("a.mp4", 40), ("a.mp4", 500), ("a.mov", 500), ("a.mkv", 40), ("a.webm", 500)],
)
def test_an_uneven_clip_ends_when_it_should(tmp_path: Path, name: str, last: int) -> None:
    times = (0, 10, 500, 520, 900)
    properties = replace(PROPERTIES, time_base=Fraction(1, 1000), steady=False)
    seen, _ = write(tmp_path / name, properties, times=times, last=last)
    assert seen.times == [Fraction(time, 1000) for time in times]
    assert seen.duration == Fraction(900 + last, 1000)


def test_the_last_frame_lasts_as_others_do_where_nobody_knows(tmp_path: Path) -> None:
    seen, _ = write(tmp_path / "a.mp4", times=(0,))
    assert seen.duration == Fraction(1, 25)


def test_avi_begins_at_zero(tmp_path: Path) -> None:
    properties = replace(PROPERTIES, time_base=Fraction(1, 1000))
    seen, notes = write(tmp_path / "a.avi", properties, times=(400, 440, 480))
    assert len(seen.times) == 3
    assert np.ptp(np.diff(seen.times)) == 0
    assert notes == ["frames moved by up to 400 ms: avi has one rate and no times"]


def test_an_error_is_passed_on_and_the_file_let_go(tmp_path: Path) -> None:
    def stumble() -> None:
        with VideoWriter(
            tmp_path / "a", container_of("a.mp4"), PROPERTIES, height=48, width=64, codec="h264"
        ) as writer:
            writer.write_picture(Picture(picture(0), 0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    with av.open(str(tmp_path / "a")) as left:
        assert not left.streams.video, "nothing of what was drawn is finished"


def test_every_codec_is_tried_above() -> None:
    assert {codec for kind in CONTAINERS.values() for codec in kind.codecs} == set(CODECS)


def test_a_file_loses_nothing_of_itself(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.mp4",
        tags={"title": "x"},
        chapters=[(0, 200, "one")],
        shape=Fraction(4, 3),
        matrix=MATRICES[8],
        colour=(1, 1, 1, 1),
    )
    with VideoReader(path) as video:
        properties = video.properties
    assert lost_properties(path, properties) == []


def test_each_loss_is_named(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", tags={"title": "x", "artist": "y"})
    with VideoReader(path) as video:
        properties = video.properties
    assert lost_properties(path, properties) == []
    wanted = replace(
        properties,
        metadata={"TITLE": "x", "artist": "another", "comment": "z"},
        chapters=({"id": 1},),
        pixel_shape=Fraction(4, 3),
        matrix=MATRICES[6],
        colour=Colour(matrix=1, range=2),
    )
    assert lost_properties(path, wanted) == [
        "tags that are not kept: artist, comment",
        "chapters are not kept",
        "the pixels' shape (4/3) is not kept",
        "that players are to turn the picture is not kept",
        "colour tags that are not kept: matrix (1), range (full)",
    ]


def test_what_was_never_stated_cannot_be_lost(tmp_path: Path) -> None:
    # VP9 always says limited range.
    path = make(tmp_path / "a.webm", codec="libvpx-vp9")
    with VideoReader(path) as video:
        properties = video.properties
    assert lost_properties(path, replace(properties, colour=Colour())) == []


def test_av1_is_written_quietly_and_leaves_the_environment_alone(
    root: Path, tmp_path: Path
) -> None:
    program = f"""
import os
from pathlib import Path
from fractions import Fraction
import numpy as np
from wbc_tf.video.formats import container_of
from wbc_tf.video.frames import Picture, VideoProperties
from wbc_tf.video.write import VideoWriter

with VideoWriter(
    Path({str(tmp_path / "a.mp4")!r}), container_of("a.mp4"),
    VideoProperties(Fraction(1, 25), Fraction(25)), height=64, width=64, codec="av1",
) as writer:
    writer.write_picture(Picture(np.zeros((64, 64, 3), np.uint8), 0))
assert "SVT_LOG" not in os.environ
"""
    environment = {name: value for name, value in os.environ.items() if name != "SVT_LOG"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
