from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from wbc_tf.ops.pool import StructurePool, StructureWorkerError, shared_pool
from wbc_tf.ops.structure_map import structure_map


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (5, 20, 33, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def pool():
    with StructurePool(2) as pool:
        yield pool


def processes_of(pool):
    return [worker._process for worker in pool._idle.queue if worker is not None]


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("kind", ["adaptive", "slic"])
def test_same_as_one_after_the_other(pool, images, kind, released):
    options = {"kind": kind, "min_size": 6, "segments": 15, "released": released}
    expected = [structure_map(image, **options) for image in images]
    np.testing.assert_array_equal(pool.map(images, options), expected)
    with StructurePool(1) as alone:
        np.testing.assert_array_equal(alone.map(images, options), expected)


def test_options_for_each_picture(pool, images):
    options = [{"kind": "felzenszwalb", "scale": 2.0 * n, "min_size": 3 * n} for n in range(1, 6)]
    expected = [structure_map(image, **o) for image, o in zip(images, options)]
    np.testing.assert_array_equal(pool.map(images, options), expected)
    with pytest.raises(ValueError, match="5 pictures and options for 4"):
        pool.map(images, options[:4])


def test_no_pictures(pool):
    assert pool.map(np.zeros((0, 8, 9, 3), np.float32), {}).shape == (0, 8, 9, 3)


def test_threads_may_share_it(pool, images):
    results = {}

    def work(n):
        results[n] = pool.map(images[n:], {"kind": "slic", "segments": 5 + n})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=600)
    for n in range(4):
        expected = [structure_map(i, kind="slic", segments=5 + n) for i in images[n:]]
        np.testing.assert_array_equal(results[n], expected)


def test_an_error_arrives_as_it_was_raised_and_does_no_harm(pool, images):
    pool.map(images, {})
    workers = processes_of(pool)
    assert workers
    with pytest.raises(ValueError, match="snowflakes"):
        pool.map(images, {"kind": "snowflakes"})
    with pytest.raises(TypeError, match="colour"):
        pool.map(images, {"colour": 1})
    pool.map(images, {})
    assert [worker.poll() for worker in workers] == [None] * len(workers)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_dead_worker_is_reported_and_replaced(images):
    with StructurePool(2) as pool:
        expected = pool.map(images, {})
        for process in processes_of(pool):
            process.kill()
            process.wait()
        with pytest.raises(StructureWorkerError, match=r"was killed .*too little memory"):
            pool.map(images, {})
        # The first failure ends the call, so the second dead worker may be found by the next one.
        with contextlib.suppress(StructureWorkerError):
            pool.map(images, {})
        np.testing.assert_array_equal(pool.map(images, {}), expected)


def test_closing_ends_the_workers(images):
    pool = StructurePool(2)
    pool.map(images, {})
    workers = processes_of(pool)
    assert workers
    pool.close()
    pool.close()
    assert [worker.returncode for worker in workers] == [0] * len(workers)
    with pytest.raises(RuntimeError, match="closed"):
        pool.map(images, {})


def test_the_shared_pool_comes_back(images):
    first = shared_pool()
    assert shared_pool() is first
    first.close()
    second = shared_pool()
    assert second is not first
    second.map(images[:2], {})
    second.close()


def test_a_pool_has_workers():
    with pytest.raises(ValueError, match="at least 1"):
        StructurePool(0)
    with StructurePool() as pool:
        assert pool.workers >= 1


PROGRAM = """
import sys, numpy as np
from wbc_tf.ops.pool import StructurePool
pool = StructurePool(2)
images = np.zeros((2, 9, 8, 3), np.float32)
pool.map(images, {})
print(*[worker._process.pid for worker in pool._idle.queue if worker], flush=True)
"""


def run(program, root):
    # Not a main guard in sight: the user's script must not run again in the workers.
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever started the tests in the background may have told them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def assert_ended(pids):
    end = time.monotonic() + 120
    while any(is_running(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in pids if is_running(pid)]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
class TestTheEnd:
    @pytest.mark.parametrize(
        ("program", "code"),
        [
            ("", 0),
            ("raise SystemExit(3)", 3),
            ("assert 'tensorflow' not in sys.modules", 0),
            ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ],
    )
    def test_of_the_program_is_the_end_of_the_workers(self, root, program, code):
        process = run(program, root)
        out, errors = process.communicate(timeout=600)
        assert (process.returncode, errors) == (code, "")
        pids = [int(pid) for pid in out.split()]
        assert pids
        assert_ended(pids)

    def test_a_fork_gets_a_pool_of_its_own(self, root):
        process = run(
            """
import os
from wbc_tf.ops.pool import shared_pool
shared_pool().map(images, {})
child = os.fork()
if child == 0:
    try:
        pool.map(images, {})
    except RuntimeError as error:
        assert "before a fork" in str(error)
        shared_pool().map(images, {})
        raise SystemExit(7)
raise SystemExit(os.waitpid(child, 0)[1] >> 8)
""",
            root,
        )
        out, errors = process.communicate(timeout=600)
        assert (process.returncode, errors) == (7, "")
        assert_ended([int(pid) for pid in out.split()])

    def test_comes_promptly_at_ctrl_c(self, root):
        process = run("while True: pool.map(np.random.rand(60, 200, 200, 3), {})", root)
        pids = [int(pid) for pid in process.stdout.readline().split()]
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert pids
        assert_ended(pids)
