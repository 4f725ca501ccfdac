"""What a video costs end to end, the memory that a long one takes, and how much it flickers.

    python -m benchmarks.video [--model DIRECTORY] [--precision float32] [--frames 16] [--rounds 2]

*Speed.* ``cartoonize_videos`` from file to file at 1280 x 720 with sound, and the network alone on
the same frames, in the same batches, already in memory; in turns in one run, and the best round of
each, as `benchmarks.inference` does it for photos. In half precision the network takes a quarter of
the time and the rest as much as ever: that is the harder case.

*Memory.* The largest resident size of a process that makes a video of one minute, and of another
that makes one of ten, with a stand-in for the network: what grows with the length is not the
network's. The program itself is most of it, so the same is told without what was there before.

*Flicker.* Mean absolute difference, in grey levels, of what is the same point of the scene in two
successive frames; the camera stands still, or pans by a known step, and its sensor is noisy.

Exits with 1 if a figure misses its bound; the bounds are those we hold ourselves to.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import av
import cv2
import numpy as np

from benchmarks._records import Records, add_json_flag
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.inference.jobs import Job
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.inference.videos import cartoonize_videos
from wbc_tf.video.stabilize import Stabilizer

SHARE = 0.85
MORE_MEMORY = 1.10
LESS_FLICKER = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="white_box")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--long", type=Path, help=argparse.SUPPRESS)
    add_json_flag(parser)
    options = parser.parse_args()
    if options.long:
        print(json.dumps(memory(options.long)))
        return 0
    records = Records(options.json)
    cartoonizer = Cartoonizer.load(options.model, precision=options.precision)
    with tempfile.TemporaryDirectory() as folder:
        speed(cartoonizer, Path(folder), options.frames, options.rounds, records)
        flicker(cartoonizer, records)
        compare_memory(Path(folder), records)
    return records.status


def speed(cartoonizer: Cartoonizer, work: Path, frames: int, rounds: int, records: Records) -> None:
    source = film(work / "clip.mp4", views(720, 1280, step=4, noise=3, frames=frames))
    settings = VideoSettings(DrawSettings(short_side=720))  # a stand-in has none of its own
    calls: list[np.ndarray] = []

    def spy(images: np.ndarray, **_: object) -> np.ndarray:
        calls.append(images)
        return images

    make(spy, source, work / "spied.mp4", settings)
    sizes = {"output_size": "input"}
    for images in {images.shape: images for images in calls}.values():
        cartoonizer(images, **sizes)  # warm-up
    alone, whole = [], []
    for number in range(rounds):
        start = seconds()
        for images in calls:
            cartoonizer(images, **sizes)
        alone.append(seconds() - start)
        start = seconds()
        make(cartoonizer, source, work / f"round{number}.mp4", settings)
        whole.append(seconds() - start)
    (wall_alone, cpu_alone), (wall, cpu) = np.min(alone, axis=0), np.min(whole, axis=0)
    share = wall_alone / wall
    print(f"{frames} frames of 1280x720, best of {rounds} rounds each")
    print(f"  network alone {frames / wall_alone:6.2f} frames/s")
    print(f"  end to end    {frames / wall:6.2f} frames/s: share {share:.3f} (at least {SHARE})")
    print(f"  the same in processor seconds: share {cpu_alone / cpu:.3f}")
    records.add("file to file, to the network alone", share, "ratio", at_least=SHARE)
    records.add("the same in processor seconds", cpu_alone / cpu, "ratio")
    records.add("file to file", frames / wall, "frames/s")


def flicker(cartoonizer: Cartoonizer, records: Records) -> None:
    for name, step in (("camera at rest", 0), ("panning camera", 3)):
        filmed = list(views(360, 480, step=step, noise=5, frames=10))
        drawn = [cartoonizer(frame) for frame in filmed]
        stabilize = Stabilizer()
        calm = [stabilize(*pair) for pair in zip(filmed, drawn)]
        before, after = (restlessness(shown, step) for shown in (drawn, calm))
        ratio = after / before
        print(f"{name}: flicker of {before:.2f} grey levels, with --stabilize {after:.2f}")
        records.add(f"flicker with --stabilize, {name}", ratio, "ratio", at_most=LESS_FLICKER)
        records.add(f"flicker without, {name}", before, "grey levels")


def restlessness(shown: list[np.ndarray], step: int) -> float:
    # From the third frame on: before, there is little to mix with.
    stack = np.stack(shown[2:]).astype(float)
    return float(np.abs(stack[:-1, :, step:] - stack[1:, :, : stack.shape[2] - step]).mean())


def compare_memory(work: Path, records: Records) -> None:
    few = list(views(120, 160, step=1, noise=3, frames=20))
    found = []
    for minutes in (1, 10):
        frames = (few[number % len(few)] for number in range(10 * 60 * minutes))
        source = film(work / f"{minutes}.mp4", frames, rate=10)
        command = [sys.executable, "-m", "benchmarks.video", f"--long={source}"]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        found.append(json.loads(answer))
    (before, one), (_, ten) = found
    ratio, net = ten / one, (ten - before) / (one - before)
    print(f"at most in use for one minute {one:.0f} MB, for ten {ten:.0f} MB")
    print(f"  ratio {ratio:.3f} (at most {MORE_MEMORY})")
    print(f"  without the {before:.0f} MB of the program itself: {net:.2f}")
    records.add("memory of ten minutes, to one", ratio, "ratio", at_most=MORE_MEMORY)
    records.add("the same without the program itself", net, "ratio")


def memory(source: Path) -> tuple[float, float]:
    """Megabytes in use before a video is made, and at most while it is."""
    import tensorflow  # noqa: F401  part of the program, though this network is a stand-in

    before = in_use("VmRSS")
    settings = VideoSettings(DrawSettings(short_side=720))  # a stand-in has none of its own
    make(lambda images, **_: 255 - images, source, source.with_suffix(".made.mp4"), settings)
    return before, in_use("VmHWM")


def in_use(what: str) -> float:
    """Megabytes. Not by getrusage, whose peak is that of whoever started the process, if higher."""
    found = re.search(rf"{what}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def make(
    model: Callable[..., np.ndarray], source: Path, target: Path, settings: VideoSettings
) -> None:
    tally = cartoonize_videos(model, [Job(source, target)], settings)
    if tally.written != 1:
        raise SystemExit(f"a benchmark of failures is none: {tally}")


def seconds() -> np.ndarray:
    """Of the clock on the wall, and of all processor cores that this process took."""
    return np.array([time.perf_counter(), time.process_time()])


def views(height: int, width: int, *, step: int, noise: float, frames: int) -> Iterable[np.ndarray]:
    """A camera that pans to the right over blotches with soft edges, and its sensor's noise."""
    random = np.random.default_rng(0)
    rows, columns = height // 20, (width + step * frames) // 20 + 1
    coarse = random.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (20 * columns, height), interpolation=cv2.INTER_NEAREST)
    scene = cv2.GaussianBlur(scene, (0, 0), 2).astype(float)
    for number in range(frames):
        view = scene[:, step * number : step * number + width]
        yield np.clip(view + random.normal(0, noise, view.shape), 0, 255).astype(np.uint8)


def film(path: Path, frames: Iterable[np.ndarray], *, rate: int = 25) -> Path:
    """H.264 with a stereo tone."""
    with av.open(str(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=rate), out.add_stream("aac", rate=48000)
        samples = 48000 // rate
        tone = 0.2 * np.sin(np.arange(samples) * (2 * np.pi * 440 / 48000))
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            if number == 0:
                video.height, video.width, video.pix_fmt = *rgb.shape[:2], "yuv420p"
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(video.encode(frame))
            heard = av.AudioFrame.from_ndarray(
                np.stack([tone, tone]).astype(np.float32), format="fltp", layout="stereo"
            )
            heard.sample_rate, heard.pts = 48000, number * samples
            heard.time_base = Fraction(1, 48000)
            out.mux(sound.encode(heard))
        out.mux(video.encode(None))
        out.mux(sound.encode(None))
    return path


if __name__ == "__main__":
    sys.exit(main())
