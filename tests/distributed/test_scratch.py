from __future__ import annotations

import threading
import time
from pathlib import Path

from wbc_tf.distributed.scratch import cached, forget, scratch_folder


def test_a_file_is_copied_once_for_each_version(tmp_path: Path) -> None:
    copied: list[str] = []

    def download(file: Path) -> None:
        time.sleep(0.05)  # time for the others to come
        copied.append(file.name)
        file.write_bytes(b"content %d" % len(copied))

    def get(version: int) -> Path:
        return cached(tmp_path, "s3://b/film.mkv", [version], download)

    threads = [threading.Thread(target=get, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copied) == 1
    assert (get(1).name, get(1).read_bytes()) == ("film.mkv", b"content 1")
    assert get(2).read_bytes() == b"content 2"
    other = cached(tmp_path, "s3://b/other.mkv", [1], download)
    forget(tmp_path, "s3://b/film.mkv")
    assert [path.name for path in tmp_path.rglob("*.mkv")] == ["other.mkv"] == [other.name]


def test_all_processes_of_a_machine_have_the_same_folder() -> None:
    assert scratch_folder() == scratch_folder()
    assert scratch_folder().is_absolute()
