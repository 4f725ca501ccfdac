from __future__ import annotations

import itertools
import re
import threading
import time
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from tests.page.stand_ins import stand_in
from tests.video import clips
from wbc_tf.files.pictures import write_image
from wbc_tf.page.handlers import Handlers, escape, in_sentences
from wbc_tf.page.limits import Limits
from wbc_tf.page.models import Offer
from wbc_tf.page.workspace import Workspace


@pytest.fixture
def handlers(tmp_path: Path) -> Handlers:
    offers = {"a": Offer("a", stand_in(delta=1.0)), "b": Offer("b", stand_in())}
    return Handlers(offers, Limits(), Workspace(tmp_path))


def test_a_result_lies_in_a_folder_of_its_own(handlers: Handlers, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((20, 30, 3), 200, np.uint8))
    upload = {"path": str(tmp_path / "a.png")}
    one, two = (list(handlers.photo(upload, name, 128, 1, 1, True)) for name in "ab")
    assert one[0][1] is None, "the pictures come first"
    assert one[0][0] == one[1][0]
    assert Path(one[1][1]).name == "a.png"
    assert Path(one[1][1]).parent != Path(two[1][1]).parent


def test_a_request_that_fails_leaves_nothing(handlers: Handlers, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture", "utf-8")
    upload = {"path": str(tmp_path / "a.png")}
    with pytest.raises(gr.Error, match="not a picture"):
        list(handlers.photo(upload, "a", 128, 1, 1, True))
    with pytest.raises(gr.Error, match="not a picture"):
        handlers.photos([upload], "a", 128, 1, 1, True)
    assert list(handlers.workspace.folder.iterdir()) == []


VIDEO = ("a", 128, 1, 1, True, 0, 5, False, "h264", "medium")


def test_a_video_says_how_far_it_is_and_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    go_on, drawings = threading.Event(), itertools.count(1)

    def wait() -> None:
        if next(drawings) > 2:
            assert go_on.wait(300)

    workspace = Workspace(tmp_path)
    offers = {"a": Offer("a", stand_in(wait=wait, delta=1.0))}
    upload = {"path": str(clips.make(tmp_path / "clip.mp4", times=range(100)))}
    steps = Handlers(offers, Limits(), workspace).video(upload, *VIDEO)
    told = next(note for *_, note in steps if "frames" in note)
    assert re.fullmatch(r"\d+ of 100 frames, about [\d:]+ left", told)
    steps.close()  # as Gradio does
    go_on.set()
    deadline = time.monotonic() + 600
    while list(workspace.folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert next(drawings) < 100


def test_a_video_that_fails_is_a_sentence(handlers: Handlers, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video", "utf-8")
    with pytest.raises(gr.Error, match=r"a\.mp4: .*not a video"):
        list(handlers.video({"path": str(tmp_path / "a.mp4")}, *VIDEO))
    with pytest.raises(gr.Error, match="Choose a video first"):
        list(handlers.video(None, *VIDEO))
    assert list(handlers.workspace.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((None, "a", 128, 1, 1, False), "Choose a photo first."),
        (("x", "a", 128, 1, 1, False), "Upload a file."),
        (({"path": "x"}, "c", 128, 1, 1, False), "There is no model 'c' here"),
        (
            ({"path": "x"}, "a", 9000, 1, 1, False),
            "Detail is a number from 128 to 2048",
        ),
        (({"path": "x"}, "a", 128, "1", 1, False), "Strength is a number from 0 to 1.5, not '1'"),
        (({"path": "x"}, "a", 128, 1, None, False), "Smoothing is a number from 0 to 1, not None"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    handlers: Handlers, values: tuple, sentence: str
) -> None:
    with pytest.raises(gr.Error) as error:
        list(handlers.photo(*values))
    assert sentence in error.value.message


def test_a_fault_of_our_own_is_logged_and_shows_nothing_of_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(gr.Error, match="a fault on this server") as error, in_sentences():
        raise RuntimeError("/private/folder")
    assert "private" not in error.value.message
    assert "/private/folder" in caplog.text


def test_a_files_name_is_not_taken_for_markdown() -> None:
    assert escape("*a*[b](c)<i>_") == "\\*a\\*\\[b\\](c)\\<i\\>\\_"
