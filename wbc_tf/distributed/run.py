"""A whole run on a cluster: from the list of files to what became of each."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from wbc_tf.distributed.dispatch import Dispatcher
from wbc_tf.distributed.engine import RayWorker, Room, share_model
from wbc_tf.distributed.films import DivideWork, Film
from wbc_tf.distributed.listing import FileJob, Listed
from wbc_tf.distributed.packed_model import PackedModel
from wbc_tf.distributed.photos import PhotoWork
from wbc_tf.distributed.work import Pace, Work
from wbc_tf.distributed.worker import WorkerSettings
from wbc_tf.inference.progress import Listener
from wbc_tf.inference.report import Entry
from wbc_tf.video.formats import is_video


def cartoonize_on_cluster(
    listed: Iterable[Listed],
    model: PackedModel,
    settings: WorkerSettings,
    room: Room,
    listener: Listener,
) -> None:
    """Makes all listed files; must be called while Ray is connected.

    Args:
      listed: from `list_jobs`; read while the work goes on.
      model: from `pack_model`.
      settings: of every worker.
      room: from `find_room`.
      listener: is told what becomes of each file, in the order in which they are done.

    Raises:
      DispatchError: no worker can be started, or the disk is full.
      StorageError: the list cannot be read to its end.
      DeviceError, PrecisionError, MemoryBudgetError, ModelNotFoundError: a worker cannot run the
        model.
    """
    shared = share_model(model)
    # While the network draws the photos of one work, others are read and written.
    at_once = 1 + min(4, room.cores)
    pace = Pace()
    dispatcher = Dispatcher(
        lambda: RayWorker(room, shared, settings, at_once=at_once),
        workers=room.workers,
        at_once=at_once,
        tell=listener.frames,
    )
    try:
        with closing(works_of(listed, pace, listener)) as works:
            for entry in dispatcher.run(works):
                pace.took(entry)
                listener.done(entry)
    finally:
        dispatcher.stop()


def works_of(
    listed: Iterable[Listed], pace: Pace, listener: Listener
) -> Generator[Work, None, None]:
    """The works for what is listed. What was refused or is ignored is told at once."""
    photos: list[FileJob] = []
    for item in listed:
        if isinstance(item, Entry):
            listener.done(item)
        elif is_video(item.source):
            yield DivideWork(Film(item))
        else:
            photos.append(item)
            if len(photos) >= pace.photos:
                yield PhotoWork(tuple(photos))
                photos = []
    if photos:
        yield PhotoWork(tuple(photos))
