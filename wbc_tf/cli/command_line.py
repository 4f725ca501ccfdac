"""What every command shares: its flags are its own, help fits people, exit statuses mean something.

Each command parses into a ``FlagValues`` of its own rather than absl's global one, so that all of
them can be imported, and tested, in one process.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from logging import WARNING, LogRecord

from absl import flags, logging

#: Exit statuses.
OK, FAILED, USAGE = 0, 1, 2


class UsageError(Exception):
    """The command was asked for something it cannot do; nothing was written."""


def new_flags() -> flags.FlagValues:
    """A fresh set of flags with what all commands have: --help, --flagfile, --verbose."""
    values = flags.FlagValues()
    flags.DEFINE_boolean("help", False, "Show this help.", short_name="h", flag_values=values)
    flags.DEFINE_boolean("verbose", False, "Show TensorFlow's own log too.", flag_values=values)
    flags.DEFINE_string(
        "flagfile",
        "",
        "Read more flags from this file, one --flag=value a line.",
        flag_values=values,
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
      arguments: name of a repeatable string flag that also gets what is no flag, wherever it
        stands; None refuses such.

    Returns:
      The exit status: `main`'s own, or `USAGE` when the flags make no sense.
    """
    argv = list(sys.argv if argv is None else argv)
    values.set_gnu_getopt(arguments is not None)
    try:
        rest = values(argv)[1:]
        if values.help:
            print(usage.strip(), "", _describe(values), sep="\n")
            return OK
        if arguments is not None:
            setattr(values, arguments, [*getattr(values, arguments), *rest])
        elif rest:
            raise UsageError(f"not understood: {' '.join(rest)} (flags look like --name=value)")
        quieten(values.verbose)
        return main(values)
    except (flags.Error, UsageError) as error:
        print(f"{os.path.basename(argv[0])}: {error}\nTry --help.", file=sys.stderr)
        return USAGE


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


def _describe(values: flags.FlagValues) -> str:
    lines = []
    for flag in sorted({values[name] for name in values}, key=lambda flag: str(flag.name)):
        default = "" if flag.default in (None, "", False, []) else f" (default: {flag.default})"
        choices = "|".join(getattr(flag.parser, "enum_values", None) or [])
        value = {"bool": ""}.get(flag.flag_type(), f"={choices or flag.flag_type()}")
        # absl puts its own remarks before and after a flag's help.
        text = re.sub(r"^<.*?>: |;\s+repeat this option .*$", "", flag.help or "", flags=re.DOTALL)
        lines.append(f"  --{flag.name}{value}{default}")
        lines.append(textwrap.fill(text, 96, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(lines)
