"""Test processes side by side: which runs what, and what is made once for all of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Files whose tests share something that is expensive to start. One process runs all of a unit.
UNITS = {
    # The small runs of every method.
    "every method": ("tests/methods/test_every_method.py", "tests/methods/test_every_run.py"),
    # A browser and the page's servers.
    "page": ("tests/page/", "tests/comparison/test_slider_page.py"),
    # A Ray cluster.
    "cluster": ("tests/distributed/", "tests/test_cluster.py"),
    # A model as it is exported for a server.
    "serving": ("tests/serving/", "tests/test_client.py", "tests/test_export.py"),
}
#: The units that take longest go first, so that no process is left with one of them at the end.
FIRST = (
    *("every method", "page", "cluster", "tests/test_quickstart.py", "tests/test_train.py"),
    *("serving", "tests/test_torture_folder.py", "tests/methods/animegan_v2/test_method.py"),
)


def unit_of(nodeid: str) -> str:
    """What one process runs from its start to its end: a file, or one of `UNITS`."""
    file = nodeid.partition("::")[0]
    return next((unit for unit, paths in UNITS.items() if file.startswith(paths)), file)


class Units(LoadScopeScheduling):
    """Gives each process the next unit when it has almost nothing left."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: object) -> None:
        for unit in FIRST:
            if unit in self.workqueue:
                self.workqueue.move_to_end(unit, last=False)
                break
        super()._assign_work_unit(node)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder for the whole run of the tests: the first process that needs it makes it.

    Args:
      factory: pytest's.
      name: of the folder.
      make: fills the folder that it is given, which is not there yet.
    """
    import fcntl

    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with open(folder.with_name(f"{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_name(f"{name}.done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed
            make(folder)
            done.touch()
    return folder
