"""Several visitors at once: they wait, cancel and leave, and nothing of them stays."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from playwright.sync_api import expect

from tests.page.conftest import PATIENCE, Server, Visitor, serving
from tests.video import clips
from wbc_tf.files.pictures import read_rgb, write_image
from wbc_tf.page.layout import CANCELLED


def names(folder: Path) -> Counter[str]:
    return Counter(path.name for path in folder.rglob("*") if path.is_file())


def resident_bytes(server: Server) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text("ascii")
    return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def test_a_cancelled_video_leaves_nothing_whether_it_runs_or_waits(
    visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    clip = clips.make(tmp_path / "clip.mp4", times=range(200), size=(48, 64))
    photo = tmp_path / "photo.png"
    write_image(photo, np.zeros((20, 30, 3), np.uint8))
    go_on = tmp_path / "go on"
    with serving("tests.page.serve", f"--until={go_on}") as server:
        before = names(server.folder)
        running, waiting = visitors = visit(server.url), visit(server.url)
        for visitor, where, says in (
            (running, "#note-video", r"\d+ of 200 frames, about .* left"),
            (waiting, "#result-video", "queue"),
        ):
            visitor.page.get_by_role("tab", name="Video").click()
            visitor.choose("video", clip)
            visitor.make("video")
            expect(visitor.page.locator(where)).to_contain_text(re.compile(says), timeout=PATIENCE)
        for visitor in visitors:
            visitor.page.locator("#cancel-video").click()
            expect(visitor.page.locator("#note-video")).to_have_text(CANCELLED, timeout=PATIENCE)
            expect(visitor.page.locator("#download-video")).to_be_disabled()
        go_on.touch()
        # The queue is free: were a video still made, this would wait for it.
        waiting.page.get_by_role("tab", name="Photo", exact=True).click()
        waiting.choose("photo", photo)
        waiting.make("photo")
        waiting.download("photo")
        left = {"clip.mp4": 1, "photo.png": 2, "before.jpg": 1, "after.jpg": 1}
        wait_for(lambda: names(server.folder) - before == left)


def wait_for(condition: Callable[[], bool]) -> None:
    """A cancelled video goes when its thread has come to the end of a frame."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_program_can_cancel_a_video_and_is_told_how_far_it_is(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "clip.mp4", times=range(200), size=(48, 64))
    go_on = tmp_path / "go on"
    with serving("tests.page.serve", f"--until={go_on}") as server:
        before = names(server.folder)
        client = Client(server.url, download_files=str(tmp_path), verbose=False)
        job = client.submit(video=handle_file(str(clip)), api_name="/video")
        told = next(note for _, _, note in job if "frames" in note)
        assert re.fullmatch(r"\d+ of 200 frames, about .* left", told)
        job.cancel()
        go_on.touch()
        wait_for(lambda: names(server.folder) - before == {"clip.mp4": 1})
        made = client.predict(
            video=handle_file(str(clip)), duration=1.0, codec="vp9", api_name="/video"
        )
        assert made[1].endswith("clip.webm")
        assert made[2] == ""


def test_ten_users_are_all_answered_and_cost_no_memory(quick: Server, tmp_path: Path) -> None:
    clients = [Client(quick.url, download_files=str(tmp_path), verbose=False) for _ in range(10)]

    def use(number: int, times: int) -> list[tuple[int, ...]]:
        photo = tmp_path / f"{number}.png"
        write_image(photo, np.full((40, 50 + number, 3), 200, np.uint8))
        return [
            read_rgb(
                clients[number].predict(photo=handle_file(str(photo)), api_name="/photo")[1]
            ).shape
            for _ in range(times)
        ]

    with ThreadPoolExecutor(10) as users:
        list(users.map(use, range(10), [1] * 10))  # what is loaded once is loaded now
        before = resident_bytes(quick)
        answers = list(users.map(use, range(10), [4] * 10))
        assert resident_bytes(quick) <= 1.1 * before
    assert answers == [[(40, 50 + number, 3)] * 4 for number in range(10)]
