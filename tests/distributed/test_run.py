from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks._s3_server import S3Server
from tests.distributed.test_worker import settings_for
from tests.distributed.works import DiesOnce
from tests.ray_cluster import BUCKET
from wbc_tf.distributed import run
from wbc_tf.distributed.engine import connected, find_room
from wbc_tf.distributed.listing import list_jobs
from wbc_tf.distributed.packed_model import pack_model
from wbc_tf.distributed.storage import storage_of
from wbc_tf.files.pictures import encode_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.report import Entry
from wbc_tf.inference.settings import VideoSettings


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def begun(self, total: int) -> None:
        raise AssertionError("the number of files is not known")

    def frames(self, source: str, done: int, total: int | None) -> None:
        raise AssertionError("there is no film")

    def done(self, entry: Entry) -> None:
        self.entries.append(entry)


def test_a_folder_in_a_busy_store_while_a_worker_dies(
    ray_address: str,
    s3: S3Server,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = f"s3://{BUCKET}/run"
    store = storage_of(root)
    random = np.random.default_rng(0)
    photos = {
        f"{n}.png": random.integers(0, 256, (24 + n % 2, 40, 3), dtype=np.uint8) for n in range(12)
    }
    for name, rgb in photos.items():
        store.write(f"{root}/in/{name}", encode_image(rgb, file_format="PNG"))
    store.write(f"{root}/in/bad.png", b"no picture")
    original = run.works_of

    def works(*arguments: Any) -> Iterator[Any]:
        for number, work in enumerate(original(*arguments)):
            if number == 0:  # a fast machine puts all the others into one work
                yield DiesOnce(str(tmp_path / "mark"))
            yield work

    monkeypatch.setattr(run, "works_of", works)
    monkeypatch.setattr(s3, "busy", 0.2)
    s3.writes.clear()
    refused = s3.refused
    listener = Listener()
    with connected(ray_address):
        run.cartoonize_on_cluster(
            list_jobs([f"{root}/in"], f"{root}/out"),
            pack_model(tiny_model),
            settings_for(tmp_path, video=VideoSettings()),
            find_room(1, 0.0),
            listener,
        )
    assert s3.refused > refused
    entries = {e.source.rpartition("/")[2]: e for e in listener.entries if "mark" not in e.source}
    assert len(listener.entries) == 14
    assert entries.pop("bad.png").error == f"{root}/in/bad.png: not a picture that Pillow can read"
    assert {entry.status for entry in entries.values()} == {"written"}
    assert sorted(entries) == sorted(photos)
    draw = Cartoonizer.load(tiny_model)
    for name, rgb in photos.items():
        expected = encode_image(draw(rgb), file_format="PNG")
        assert store.read(f"{root}/out/{name}") == expected
        assert s3.writes[f"/{BUCKET}/run/out/{name}"] == 1
