"""A cluster that loses workers, a node and requests; what it costs, and what it holds in memory.

    python -m benchmarks.cluster [--only faults memory speed film] [--pictures 1000] [--photos 40]

*Faults.* Three node processes on this machine, small pictures behind a server that speaks S3 and
answers 5% of all requests with 503. 1% of the pictures are broken. A worker is killed (-9) three
times and a node once. Every good picture must be written once, with the bytes that
``cartoonize.py`` writes on one machine; every broken one must be named; nothing else may be there.

*Memory.* The driver's peak for 1,000 and for 100,000 names: simulated names and workers, the real
list, dispatcher, report and console.

*Speed.* Two workers of one core each against one, and ``cluster`` with one worker against
``cartoonize.py``, whole commands from start to end. The machine must be idle for these to mean
something; ``load`` is printed.

*Film.* A minute of film in segments of ten seconds against one piece, with FFV1: every frame, time
and packet of sound. The driver is killed in the middle and called again.

A network of four channels is used where the network is not the point. Exits with 1 if a figure
misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  # so it is called

import numpy as np

from benchmarks._machine import peak_memory
from benchmarks._records import Records, add_json_flag
from wbc_tf.files.pictures import encode_image

MORE_MEMORY, TWO_WORKERS, OVERHEAD = 1.05, 1.6, 1.10
NODES, BUSY, BROKEN = 3, 0.05, 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=["faults", "memory", "speed", "film"])
    parser.add_argument("--pictures", type=int, default=1000, help="of the trial with faults")
    parser.add_argument("--photos", type=int, default=40, help="of the trial of speed")
    parser.add_argument("--names", type=int, help=argparse.SUPPRESS)
    add_json_flag(parser)
    options = parser.parse_args()
    if options.names:
        print(peak_of_driver(options.names))
        return 0
    records = Records(options.json)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if "memory" in options.only:
            memory(records)
        model = small_model(work / "model")
        if "faults" in options.only:
            faults(work, model, options.pictures, records)
        if "film" in options.only:
            film(work, model, records)
        if "speed" in options.only:
            speed(work, options.photos, records)
    return records.status


def small_model(directory: Path) -> Path:
    import tensorflow as tf

    from wbc_tf.methods.white_box.exported import EXPORTED
    from wbc_tf.serving.saved_model import save_generator

    tf.random.set_seed(0)
    metadata = {"licence": "none", "origin": "untrained"}
    save_generator(EXPORTED, EXPORTED.build(channels=4, blocks=1), directory, metadata=metadata)
    return directory


def command(name: str, *arguments: object) -> subprocess.Popen[str]:
    program = ["-m", "wbc_tf.cluster"] if name == "cluster" else ["cartoonize.py"]
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def nodes(number: int, **resources: Any) -> Iterator[Any]:
    """A cluster of node processes on this machine; the first is the head."""
    from ray.cluster_utils import Cluster

    store = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**store, **resources})
    for _ in range(number - 1):
        cluster.add_node(object_store_memory=store["object_store_memory"], **resources)
    try:
        yield cluster
    finally:
        cluster.shutdown()


# Faults.


def faults(work: Path, model: Path, pictures: int, records: Records) -> None:
    import fsspec

    from benchmarks._s3_server import S3Server
    from wbc_tf.distributed.storage import storage_of

    server = S3Server()
    os.environ.update(server.environment())
    fsspec.filesystem("s3").mkdir("trial")
    store, (source, one) = storage_of("s3://trial"), (work / "in", work / "one")
    source.mkdir()
    random = np.random.default_rng(0)
    bad = {f"{number:05}.png" for number in range(50, pictures, BROKEN)}
    for number in range(pictures):
        name = f"{number:05}.png"
        rgb = random.integers(0, 256, (24 + number // 40 % 2, 32, 3), dtype=np.uint8)
        data = b"broken" if name in bad else encode_image(rgb, file_format="PNG")
        (source / name).write_bytes(data)
        store.write(f"s3://trial/in/{name}", data)
    command("cartoonize", f"--input={source}", f"--output={one}", f"--model={model}").communicate()

    report = work / "report.jsonl"
    server.busy = BUSY
    server.writes.clear()
    began = time.perf_counter()
    with nodes(NODES, num_cpus=1) as cluster:
        process = command(
            *("cluster", f"--address={cluster.address}", f"--workers={NODES}"),
            *("--input=s3://trial/in", "--output=s3://trial/out", f"--model={model}"),
            f"--report={report}",
        )
        for share in (0.15, 0.3, 0.6):
            wait_for(lambda: len(server.writes) > share * pictures, process)  # noqa: B023
            wait_for(lambda: kill_a_worker(cluster), process)
            if share == 0.3:
                wait_for(lambda: len(server.writes) > 0.45 * pictures, process)
                cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        last = process.communicate()[0].splitlines()[-1]
    seconds = time.perf_counter() - began
    server.busy = 0.0

    entries = [json.loads(line) for line in report.read_text("ascii").splitlines()]
    failed = {entry["source"].rpartition("/")[2] for entry in entries if entry["error"]}
    there = set(store.names("s3://trial/out", recursive=True))
    equal = [store.read(f"s3://trial/out/{p.name}") == p.read_bytes() for p in one.iterdir()]
    redone = [e for e in entries if any("worker that was lost" in note for note in e["notes"])]
    print(f"{pictures} pictures, {len(bad)} broken, {server.refused} requests refused: {last}")
    print(f"  {len(equal)} on one machine, {sum(equal)} of them equal here, in {seconds:.0f} s")
    print(f"  written already when a worker was lost: {len(redone)}")
    wrong = len(there ^ {path.name for path in one.iterdir()}) + equal.count(False)
    records.add("wrong, missing or half-written pictures", wrong, "pictures", at_most=0)
    twice = sum(count > 1 for count in server.writes.values())
    records.add("pictures that were written twice", twice, "pictures", at_most=0)
    records.add("broken pictures that were not named", len(bad ^ failed), "pictures", at_most=0)
    expected = f"{pictures - len(bad)} written, 0 skipped, {len(bad)} failed"
    adds_up = last == expected and len(entries) == pictures
    records.add("the report adds up", float(adds_up), "", at_least=1)
    print(f"  wrong {wrong}, written twice {twice}, not named {len(bad ^ failed)}, {adds_up=}")
    records.add("requests answered with 503", server.refused, "requests")
    server.close()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.05)


def kill_a_worker(cluster: Any) -> bool:
    """Kills (-9) a process that is making a picture, on one of these nodes, if there is one."""
    raylets = {
        started.process.pid
        for node in cluster.list_all_nodes()
        for started in node.all_processes["raylet"]
    }
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(b"ray::Worker.do"):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent in raylets:
                    os.kill(int(folder.name), signal.SIGKILL)
                    return True
    return False


# Memory.


def memory(records: Records) -> None:
    peaks = []
    for names in (1_000, 100_000):
        arguments = [sys.executable, "-m", "benchmarks.cluster", f"--names={names}"]
        peaks.append(float(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout))
    ratio = peaks[1] / peaks[0]
    print(f"driver: {peaks[0]:.0f} MB for 1,000 names, {peaks[1]:.0f} MB for 100,000")
    records.add("driver's memory, 100,000 names to 1,000", ratio, "ratio", at_most=MORE_MEMORY)


def peak_of_driver(names: int) -> float:
    """Megabytes at most; the workers are stand-ins that answer at once."""
    import ray  # noqa: F401  part of the driver, though nobody calls it here

    from wbc_tf.distributed import listing
    from wbc_tf.distributed.dispatch import Dispatcher
    from wbc_tf.distributed.run import works_of
    from wbc_tf.distributed.work import Pace
    from wbc_tf.inference.photos import Step
    from wbc_tf.inference.progress import Console
    from wbc_tf.inference.report import Entry, Report

    class Names:
        def kind(self, name: str) -> str:
            return "folder"

        def names(self, folder: str, *, recursive: bool) -> Iterator[str]:
            return (f"{n // 1000:04}/{n:09}.jpg" for n in range(names))

    class Worker:
        def __init__(self) -> None:
            self.ready: Future[None] = Future()
            self.ready.set_result(None)

        def do(self, work: Any) -> Future[Any]:
            done: Future[Any] = Future()
            entries = [Entry(job.source, job.target, "written", 8, 8, 1, 0.3) for job in work.jobs]
            done.set_result([Step(entry) for entry in entries])
            return done

        def stop(self) -> None:
            pass

    listing.storage_of = lambda name: Names()
    listed = listing.list_jobs(["s3://b/in"], "s3://b/out", recursive=True)
    pace = Pace()
    with tempfile.TemporaryDirectory() as folder, Report(Path(folder, "report")) as report:
        with Console(report) as console:
            dispatcher = Dispatcher(Worker, workers=100, at_once=5)
            for entry in dispatcher.run(works_of(listed, pace, console)):
                pace.took(entry)
                console.done(entry)
        assert console.tally.written == names
    return peak_memory()


# Speed.


def speed(work: Path, photos: int, records: Records) -> None:
    from benchmarks.inference import drawings

    print(f"load {os.getloadavg()[0]:.1f}; photos of 1080 x 720, worked on at 480")
    # Ray's start and end take the same few seconds however long the work is: a minute of work.
    all_photos = drawings(work / "photos", 2 * photos)
    half = drawings(work / "half", photos)

    def seconds(name: str, source: Path, *arguments: object) -> float:
        common = (f"--input={source}", "--overwrite", "--short_side=480")
        start = time.perf_counter()
        process = command(name, *common, *arguments, f"--output={work / name}")
        process.communicate()
        if process.returncode:
            raise SystemExit(f"{name} ended with {process.returncode}")
        return time.perf_counter() - start

    alone = seconds("cartoonize", all_photos)
    engine = seconds("cluster", all_photos, "--workers=1")
    print(f"  {2 * photos} photos: cartoonize.py {alone:.1f} s, one worker {engine:.1f} s")
    records.add("cluster, to cartoonize.py", engine / alone, "ratio", at_most=OVERHEAD)
    found = []
    for number in (1, 2):
        with nodes(number, num_cpus=1) as cluster:
            where = (f"--address={cluster.address}", f"--workers={number}")
            found.append(seconds("cluster", half, *where))
    print(f"  {photos} photos, workers of one core: one {found[0]:.1f} s, two {found[1]:.1f} s")
    records.add("two workers, to one", found[0] / found[1], "ratio", at_least=TWO_WORKERS)


# Film.


def film(work: Path, model: Path, records: Records) -> None:
    from benchmarks.video import film as store
    from benchmarks.video import views

    few = list(views(120, 160, step=2, noise=3, frames=50))
    source = store(work / "film.mp4", (few[number % 50] for number in range(1500)))
    common = [f"--input={source}", f"--model={model}", "--codec=ffv1"]
    for stabilize in (False, True):
        flag = f"--{'' if stabilize else 'no'}stabilize"
        piece, joined = work / f"piece{stabilize}.mkv", work / f"joined{stabilize}.mkv"
        command("cartoonize", *common, flag, f"--output={piece}").communicate()
        again = [*common, flag, "--segment_seconds=10", f"--output={joined}"]
        process = command("cluster", *again)
        wait_for(lambda: len(list(work.glob(".wbc-*/0*.json"))) >= 3, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        before = {path: path.stat().st_mtime_ns for path in work.glob(".wbc-*/0*.nut")}
        before = {p: t for p, t in before.items() if p.with_suffix(".json").exists()}
        process = command("cluster", *again)
        made: dict[Path, int] = {}
        while process.poll() is None:
            for path in work.glob(".wbc-*/0*.nut"):
                with contextlib.suppress(FileNotFoundError):
                    made[path] = path.stat().st_mtime_ns
            time.sleep(0.02)
        kept = sum(made.get(path) == changed for path, changed in before.items())
        one, many = look(piece), look(joined)
        levels = max(np.abs(a.astype(int) - b).max() for a, b in zip(one[0], many[0]))
        what = " with --stabilize" if stabilize else ""
        print(f"film{what}: {len(many[0])} frames, {kept} of 6 segments kept; differs by {levels}")
        same = len(one[0]) == len(many[0]) and one[1:] == many[1:]
        records.add(f"frames, times and sound are equal{what}", float(same), "", at_least=1)
        at_most = 1 if stabilize else 0
        records.add(f"frames differ{what}", float(levels), "grey levels", at_most=at_most)
        records.add(f"finished segments made again{what}", len(before) - kept, "", at_most=0)


def look(path: Path) -> tuple[list[np.ndarray], list[int], list[bytes]]:
    """Frames, their times, and the packets of sound."""
    import av

    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        pictures, times = [f.to_ndarray(format="rgb24") for f in frames], [f.pts for f in frames]
    with av.open(str(path)) as container:
        return pictures, times, [bytes(p) for p in container.demux(audio=0) if p.size]


if __name__ == "__main__":
    sys.exit(main())
