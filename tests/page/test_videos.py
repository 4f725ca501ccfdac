from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.page.stand_ins import stand_in
from tests.video import clips
from wbc_tf.inference.settings import VideoSettings
from wbc_tf.page.limits import Limits
from wbc_tf.page.refusal import Refusal
from wbc_tf.page.videos import CONTAINER, QUALITIES, Cancelled, draw_video
from wbc_tf.video.formats import CODECS, CONTAINERS

SETTINGS = VideoSettings(codec="h264", duration=5.0)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six frames."""
    file = tmp_path / "clip.mp4"
    clips.make(file)
    return file


def test_a_clip_becomes_one_that_browsers_play(clip: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    folder = tmp_path / "made"
    file, _ = draw_video(
        stand_in(),
        clip,
        SETTINGS,
        folder,
        limits=Limits(),
        progress=lambda *step: told.append(step),
    )
    assert file == folder / "clip.mp4"
    with av.open(str(file)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == 6
    assert [done for done, _, _ in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1][2] == "about 00:00 left"


def test_a_cancelled_video_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        draw_video(
            stand_in(),
            clip,
            SETTINGS,
            folder,
            limits=Limits(),
            is_cancelled=lambda: next(answers),
        )
    assert list(folder.iterdir()) == []


def test_what_is_no_video_or_too_much_is_a_sentence(clip: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video", "utf-8")

    def draw(source: Path, **settings: object) -> None:
        arguments = {"codec": "h264", "duration": 5.0, **settings}
        limits = Limits(max_video_seconds=5.0, max_megapixels=0.001)
        draw_video(stand_in(), source, VideoSettings(**arguments), tmp_path / "made", limits=limits)

    with pytest.raises(Refusal, match=r"^text\.mp4: .*\.$"):
        draw(text)
    with pytest.raises(
        Refusal, match=r"clip\.mp4: its frames have too many pixels\. At most 0\.001"
    ):
        draw(clip)
    with pytest.raises(Refusal, match="At most 5 seconds of a video are made"):
        draw(clip, duration=6.0)
    with pytest.raises(Refusal, match="Choose one of the codecs h264, vp9, av1"):
        draw(clip, codec="ffv1")


def test_each_codec_fits_its_container_in_each_quality() -> None:
    for codec, ending in CONTAINER.items():
        assert codec in CONTAINERS[ending].codecs
        assert all(CODECS[codec].crf + step <= CODECS[codec].worst for step in QUALITIES.values())
