"""What all commands have in common: their own sets of flags, the help text, the exit statuses.

Each command parses into a ``FlagValues`` of its own rather than absl's global one, so that all of
them can be imported, and tested, in one process.
"""

from __future__ import annotations

import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from logging import WARNING, LogRecord
from typing import Any

from absl import flags, logging

from wbc_tf.version import __version__

#: Exit statuses.
OK, FAILED, USAGE = 0, 1, 2

_EVERY_COMMAND = "Every command"
_OTHER = "Flags"


class UsageError(Exception):
    """The command was asked for something it cannot do; nothing was written."""


def on_topic(title: str, values: flags.FlagValues) -> dict[str, Any]:
    """Arguments for absl's ``DEFINE_...``: the flag belongs to `values`, and in --help to `title`.

    Topics, and the flags of each, are shown in the order in which they are defined.
    """
    return {"flag_values": values, "module_name": title}


def new_flags() -> flags.FlagValues:
    """A fresh set of flags: --help, --version, --flagfile and --verbose."""
    values = flags.FlagValues()
    topic = on_topic(_EVERY_COMMAND, values)
    flags.DEFINE_boolean("help", False, "Show this help.", short_name="h", **topic)
    flags.DEFINE_boolean("version", False, "Show the version of this program.", **topic)
    flags.DEFINE_boolean("verbose", False, "Show the log of TensorFlow too.", **topic)
    flags.DEFINE_string(
        "flagfile", "", "Read more flags from this file, one --name=value a line.", **topic
    )
    return values


def run_command(
    main: Callable[[flags.FlagValues], int],
    values: flags.FlagValues,
    *,
    usage: str,
    argv: Sequence[str] | None = None,
    arguments: str | None = None,
) -> int:
    """Parses, calls `main`, and turns what users can mend into a line on stderr.

    Args:
      main: takes the parsed flags and returns an exit status.
      values: from `new_flags`, with the command's own flags added.
      usage: what the command does and how it is called, shown on top of --help.
      argv: the command line; ``sys.argv`` when None.
      arguments: name of a repeatable string flag that also gets the arguments that are no flags;
        None refuses such arguments.

    Returns:
      The exit status: `main`'s own, or `USAGE` when the flags make no sense.
    """
    argv = list(sys.argv if argv is None else argv)
    name = os.path.basename(argv[0])
    values.set_gnu_getopt(arguments is not None)
    try:
        rest = values(argv)[1:]
        if values.help or values.version:
            return _print_out(_help(usage, values) if values.help else f"wbc_tf {__version__}")
        if arguments is not None:
            setattr(values, arguments, [*getattr(values, arguments), *rest])
        elif rest:
            raise UsageError(f"not understood: {' '.join(rest)} (flags look like --name=value)")
        _refuse_infinite(values)
        quieten(values.verbose)
        return main(values)
    except flags.UnrecognizedFlagError as error:
        print(f"{name}: {error}\nTry --help.", file=sys.stderr)
    except flags.Error as error:  # it says which values there are
        print(f"{name}: {error}", file=sys.stderr)
    except UsageError as error:
        print(f"{name}: {error}", file=sys.stderr)
    return USAGE


def _print_out(text: str) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has closed it: --help | head
        drop_output()
    return OK


def drop_output() -> None:
    """Discards what is not yet written to standard output, because its reader has closed it.

    Otherwise Python tries to write it when the program ends, and prints an error.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_infinite(values: flags.FlagValues) -> None:
    for name in values:
        value = values[name].value
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"--{name}={value}: not a finite number")


def quieten(verbose: bool) -> None:
    """Keeps TensorFlow's start-up lines out of the way; must run before TensorFlow is imported."""
    if not verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    flags.FLAGS.mark_as_parsed()  # or absl's log complains that its own flags were not
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO if verbose else logging.WARNING)
    if verbose:
        logging.get_absl_logger().removeFilter(_is_ours)
    else:
        logging.get_absl_logger().addFilter(_is_ours)


def _is_ours(record: LogRecord) -> bool:
    # TensorFlow warns through absl's log as well: of gradients, when a model is loaded to be used.
    return record.levelno > WARNING or f"{os.sep}tensorflow{os.sep}" not in record.pathname


def _help(usage: str, values: flags.FlagValues) -> str:
    topics = values.flags_by_module_dict()
    topics[_EVERY_COMMAND] = topics.pop(_EVERY_COMMAND)  # at the end
    lines = [usage.strip()]
    for title, described in topics.items():
        # Flags that a command defines without a topic are registered under its module, or under
        # its file where it is run by ``python -m``.
        without = title.startswith("wbc_tf.") or title == sys.argv[0]
        lines += ["", f"{_OTHER if without else title}:"]
        for flag in described:
            lines += _describe(flag)
    return "\n".join(lines)


def _describe(flag: flags.Flag[Any]) -> list[str]:
    default = "" if flag.default in (None, "", False, []) else f" (default: {flag.default})"
    choices = "|".join(getattr(flag.parser, "enum_values", None) or [])
    value = {"bool": ""}.get(flag.flag_type(), f"={choices or flag.flag_type()}")
    # absl puts its own remarks before and after a flag's help.
    text = re.sub(r"^<.*?>: |;\s+repeat this option .*$", "", flag.help or "", flags=re.DOTALL)
    return [
        f"  --{flag.name}{value}{default}",
        textwrap.fill(text, 96, initial_indent=" " * 6, subsequent_indent=" " * 6),
    ]
