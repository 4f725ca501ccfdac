"""Cartoonizes files and folders through a model server: ``python -m wbc_tf.client``."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from absl import flags
from tqdm import tqdm

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags, run_command
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.files.pictures import ImageReadError, decode_photo, encode_image, format_of, write_image
from wbc_tf.files.whole import write_whole
from wbc_tf.inference.jobs import InputError, Job, Tally, plan_jobs
from wbc_tf.serving.remote import Answer, Connection, ServerError, connect, with_retries

USAGE = """
Turn photos into cartoons on a server that runs an exported model.

  python -m wbc_tf.client --server=localhost:8500 --input=photos --output=cartoons
  python -m wbc_tf.client --server=http://localhost:8501 --input=me.jpg --output=me.png

The first speaks gRPC and needs the extra [serving], the second REST. Working resolution and size of
the results were fixed when the model was exported.

Exit status: 0 all done, 1 some pictures failed (each is named), 2 the call made no sense.
"""

# What the server reads by itself; everything else that we can read travels as PNG.
_SERVER_READS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    flags.DEFINE_string(
        "server", None, "host:port for gRPC, http://host:port for REST.", flag_values=values
    )
    flags.DEFINE_string(
        "model_name", "white_box", "The model's name on the server.", flag_values=values
    )
    define_job_flags(values)
    flags.DEFINE_integer(
        "quality",
        95,
        "Quality of JPEG and WebP files that the server did not send as such.",
        lower_bound=1,
        upper_bound=100,
        flag_values=values,
    )
    flags.DEFINE_integer(
        "concurrency", 4, "Requests in flight at once.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_integer(
        "retries",
        5,
        "Further attempts at a picture while the server is away or too busy.",
        lower_bound=0,
        flag_values=values,
    )
    flags.DEFINE_float(
        "deadline",
        120.0,
        "Seconds for a picture, all attempts together.",
        lower_bound=0.001,
        flag_values=values,
    )
    return values


def main(values: flags.FlagValues) -> int:
    """Cartoonizes as the flags say; returns the exit status."""
    if not values.server or not values.input or not values.output:
        raise UsageError("--server, --input and --output are needed")
    file_format = values.format if values.format == "same" else values.format.upper()
    try:
        jobs = plan_jobs(
            values.input, values.output, recursive=values.recursive, file_format=file_format
        )
        connection = connect(values.server, model_name=values.model_name)
        with_retries(
            lambda seconds: connection.check(timeout=seconds),
            retries=values.retries,
            deadline=values.deadline,
        )
    except InputError as error:
        raise UsageError(str(error)) from error
    except ImportError as error:
        raise UsageError(
            f"gRPC needs the extra [serving]: pip install 'wbc_tf[serving]' ({error}). "
            "REST does without: --server=http://host:8501"
        ) from error
    except ServerError as error:
        raise UsageError(f"--server={values.server} does not serve the model: {error}") from error
    tally = cartoonize_remotely(
        connection,
        jobs,
        concurrency=values.concurrency,
        retries=values.retries,
        deadline=values.deadline,
        quality=values.quality,
        overwrite=values.overwrite,
    )
    print(f"{tally.written} written, {tally.skipped} skipped, {tally.failed} failed")
    return FAILED if tally.failed else OK


def cartoonize_remotely(
    connection: Connection,
    jobs: Sequence[Job],
    *,
    concurrency: int,
    retries: int,
    deadline: float,
    quality: int = 95,
    overwrite: bool = False,
) -> Tally:
    """Works through the jobs; a picture that fails is named on stderr, and the rest goes on.

    Args:
      connection: to the model.
      jobs: from `plan_jobs`.
      concurrency: requests in flight at once.
      retries: see `with_retries`.
      deadline: seconds for a picture, see there.
      quality: of JPEG and WebP files that the server did not send as such, 1 to 100.
      overwrite: make files again that are already there; else they are skipped.
    """
    written = skipped = failed = 0

    def request(job: Job) -> bytes | None:
        if job.target.exists() and not overwrite:
            return None
        image = _sendable(job)
        return with_retries(
            lambda seconds: connection.cartoonize(image, timeout=seconds),
            retries=retries,
            deadline=deadline,
        )

    with tqdm(total=len(jobs), unit="img", disable=None) as bar:
        for job, answer in _answers(request, jobs, concurrency=concurrency):
            try:
                cartoon = answer.result()
                if cartoon is None:
                    skipped += 1
                else:
                    _write(job, cartoon, quality=quality)
                    written += 1
            except (ServerError, ImageReadError, OSError, ValueError) as error:
                failed += 1
                tqdm.write(f"failed: {job.source} -> {job.target}: {error}", file=sys.stderr)
            bar.update()
    return Tally(written=written, skipped=skipped, failed=failed)


def _answers(
    request: Callable[[Job], Answer], jobs: Sequence[Job], *, concurrency: int
) -> Iterator[tuple[Job, Future[Answer]]]:
    """Yields the jobs as their answers come in.

    No more than twice `concurrency` are sent or waiting to be written, so that a slow disk does not
    fill the memory with cartoons.
    """
    waiting = iter(jobs)
    pending: dict[Future[Answer], Job] = {}
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        try:
            while True:
                for job in itertools.islice(waiting, 2 * concurrency - len(pending)):
                    pending[pool.submit(request, job)] = job
                if not pending:
                    return
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield pending.pop(future), future
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _sendable(job: Job) -> bytes:
    data = job.source.read_bytes()
    if data.startswith(_SERVER_READS):
        return data
    photo = decode_photo(data, name=str(job.source))
    return encode_image(photo.rgb, alpha=photo.alpha, file_format="PNG")


def _write(job: Job, answer: bytes, *, quality: int) -> None:
    # Read even where it is written as it came: what is no picture must not become a file.
    cartoon = decode_photo(answer, name="the server's answer")
    job.target.parent.mkdir(parents=True, exist_ok=True)
    if cartoon.format == format_of(job.target):
        write_whole(job.target, answer)
    else:
        write_image(job.target, cartoon.rgb, alpha=cartoon.alpha, quality=quality)


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
