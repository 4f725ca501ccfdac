from __future__ import annotations

import socket

import pytest
from absl import flags

from wbc_tf.cli.command_line import UsageError
from wbc_tf.cli.server_flags import connected, define_server_flags


def _values(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_server_flags(values)
    values(["program", *arguments])
    return values


def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:  # bound and never listening
        closed.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"--server={server} cannot be reached"):
            connected(_values(f"--server={server}", "--retries=0", "--deadline=20"))
