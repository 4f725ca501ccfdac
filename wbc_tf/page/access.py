"""Who may open the page: it asks for a password unless only this machine can reach it."""

from __future__ import annotations

import ipaddress
from pathlib import Path


def is_loopback(host: str) -> bool:
    """Whether an address that is listened on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False


def users(
    host: str, *, auth: str | None, auth_file: str | None, public: bool
) -> list[tuple[str, str]]:
    """The names and passwords that the page accepts; none where it asks for none.

    Args:
      host: the address that the page listens on.
      auth: ``user:password``.
      auth_file: a file with such a line for each user. Other users of the machine can see the
        arguments of a command, but not the content of a file.
      public: everyone who reaches the page may use it.

    Raises:
      ValueError: other machines reach the page and nothing says who may use it, or what is given
        is not ``user:password``.
      OSError: the file cannot be read.
    """
    lines = [auth] if auth else []
    if auth_file:
        text = Path(auth_file).read_text("utf-8")
        lines += [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise ValueError(f"--auth_file={auth_file}: no line user:password in it")
    if lines and public:
        raise ValueError("--public lets everyone in, --auth and --auth_file do not; give one")
    if not lines and not public and not is_loopback(host):
        raise ValueError(
            f"--host={host}: other machines could use the page. Say who may: "
            "--auth=user:password, --auth_file=FILE, or --public for everyone"
        )
    found = []
    for line in lines:
        user, colon, password = line.partition(":")
        if not (user and colon and password):
            # The line is not shown: it may hold a password.
            raise ValueError("--auth and each line of --auth_file must look like user:password")
        found.append((user, password))
    return found
