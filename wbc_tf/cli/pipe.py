"""``-`` as --input or --output: one picture from standard input, or to standard output."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, drop_output
from wbc_tf.cli.picture_flags import max_pixels
from wbc_tf.files.formats import FORMATS, format_of
from wbc_tf.video.formats import is_video

_PIPE = "-"


def with_pipes(main: Callable[[flags.FlagValues], int], values: flags.FlagValues) -> int:
    """``main(values)``, with files in the place of pipes.

    Args:
      main: takes its files from the flags of `define_job_flags`, and returns an exit status.
      values: parsed flags. Where standard output gets the picture, what else is printed goes to
        stderr.

    Returns:
      The exit status: `main`'s own, or `FAILED` where what came is no picture or what is to go
      cannot be written.

    Raises:
      UsageError: a pipe makes no sense there.
    """
    reads, writes = _PIPE in values.input, values.output == _PIPE
    if not (reads or writes):
        return main(values)
    _refuse(values, reads=reads, writes=writes)
    from wbc_tf.files.pictures import ImageReadError, decode_photo  # takes time to import

    given = Path(values.input[0])
    name = "standard input" if reads else str(given)
    with tempfile.TemporaryDirectory(prefix="wbc-pipe-") as folder:
        try:
            data = sys.stdin.buffer.read() if reads else given.read_bytes()
            photo = decode_photo(data, name=name, max_pixels=max_pixels(values))
        except ImageReadError as error:
            return _failed(str(error))
        except OSError as error:
            return _failed(f"{name}: cannot be read ({error.strerror})")
        if reads:
            values["input"].value = [str(Path(folder, name))]
            Path(folder, name).write_bytes(data)
        if not writes:
            return main(values)
        wanted = photo.format if values.format == "same" else values.format.upper()
        target = Path(folder, f"standard output{FORMATS.get(wanted, FORMATS['PNG'])}")
        values["output"].value = str(target)
        with redirect_stdout(sys.stderr):
            status = main(values)
        return _send(target) if target.exists() else status


def _failed(reason: str) -> int:
    print(f"failed: {reason}", file=sys.stderr)
    return FAILED


def _send(file: Path) -> int:
    try:
        sys.stdout.buffer.write(file.read_bytes())
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
        return _failed("standard output: nobody reads it")
    except OSError as error:
        return _failed(f"standard output: cannot be written ({error.strerror})")
    return OK


def _refuse(values: flags.FlagValues, *, reads: bool, writes: bool) -> None:
    if len(values.input) != 1:
        raise UsageError("- is a pipe for one picture; give one --input")
    given = values.input[0]
    if reads and sys.stdin.isatty():
        raise UsageError("--input=- reads a picture from a pipe, but standard input is a terminal")
    if writes and sys.stdout.isatty():
        raise UsageError("--output=- writes a picture, but standard output is a terminal")
    if not reads and (is_video(given) or not Path(given).is_file()):
        raise UsageError(f"--output=- is for one picture, and --input={given} is none")
    if not writes:
        try:
            format_of(values.output or "")
        except ValueError as error:
            raise UsageError(
                "--input=- has no name to be kept: --output is - or a picture's file name"
            ) from error
