"""The process that does the work: it loads the model once."""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbc_tf.distributed.packed_model import PackedModel, unpack_model
from wbc_tf.distributed.scratch import forget, scratch_folder
from wbc_tf.distributed.work import Tools, Work
from wbc_tf.inference.settings import VideoSettings


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is told before its first work.

    Attributes:
      device: see `wbc_tf.inference.device`.
      precision: see `Cartoonizer.load`.
      memory_budget: see `Cartoonizer.load`.
      video: see `Tools`.
      quality: see `Tools`.
      overwrite: see `Tools`.
      threads: how many the network may use, so that workers of one machine do not slow each other.
      folder: the caller's, which relative names are counted from, where this machine has it too.
    """

    device: str
    precision: str
    memory_budget: int
    video: VideoSettings
    quality: int
    overwrite: bool
    threads: int
    folder: str


class Worker:
    """Runs in a process of its own. `do` may be called by several threads at once."""

    def __init__(self) -> None:
        self._tools: Tools | None = None

    def load(self, model: PackedModel, settings: WorkerSettings) -> None:
        """Loads the model; must be called first.

        Raises:
          DeviceError, PrecisionError, MemoryBudgetError: this machine cannot do what is asked for.
          ModelNotFoundError: the model needs a library that is not installed here.
        """
        if os.path.isdir(settings.folder):
            os.chdir(settings.folder)
        with tempfile.TemporaryDirectory(prefix="wbc-") as folder:
            path = unpack_model(model, Path(folder))
            self._tools = _load(path, settings)

    def do(self, work: Work) -> Any:
        """Does a work and returns its answer."""
        assert self._tools is not None
        return work.do(self._tools)

    def forget(self, film: str) -> None:
        """Removes this machine's copies of a film."""
        assert self._tools is not None
        forget(self._tools.scratch, film)


def _load(path: Path, settings: WorkerSettings) -> Tools:
    # TensorFlow takes seconds, and a driver that imports this module has no use for it.
    from wbc_tf.inference.cartoonizer import Cartoonizer
    from wbc_tf.inference.engines import is_onnx

    if not is_onnx(path):
        from wbc_tf.inference.device import use_device, use_threads

        use_threads(settings.threads)
        use_device(settings.device)
    cartoonizer = Cartoonizer.load(
        path, precision=settings.precision, memory_budget=settings.memory_budget
    )
    return Tools(
        cartoonizer=cartoonizer,
        drawing=threading.Lock(),
        video=settings.video,
        quality=settings.quality,
        overwrite=settings.overwrite,
        scratch=scratch_folder(),
    )
