"""What the page tells a visitor when something cannot be made."""

from __future__ import annotations

from pathlib import Path


class Refusal(Exception):  # noqa: N818  # what happens, not a fault
    """A request that cannot be done; the message is a sentence for the visitor."""


def without_folders(message: str, source: Path) -> str:
    """An error of the library with the file's bare name, so that it shows no path of the server.

    Args:
      message: it may name `source` by its whole path.
      source: the file the error is about.
    """
    return message.replace(f"{source.parent}/", "")
