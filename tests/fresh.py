"""Functions in a process of their own, where TensorFlow is imported and has not started yet.

Some of its settings can be changed only before it starts. Its import takes seconds of CPU: a server
process does it once, and each call here is a fork of that process.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tensorflow"])


class FreshProcess:
    """A function that runs in a process of its own.

    Args:
      function: one that can be imported.
      arguments: for it.
      environment: variables to set there; None removes one. Else they are the tests' own.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        variables = {**os.environ, **(environment or {})}
        self._receiver, sender = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_run, args=(sender, variables, function, arguments), daemon=True
        )
        self._process.start()
        sender.close()

    def result(self, timeout: float | None = None) -> Any:
        """What the function returns; AssertionError with its traceback if it raises."""
        try:
            if not self._receiver.poll(timeout):
                raise AssertionError(f"no answer within {timeout} s")
            done, answer = self._receiver.recv()
            self._process.join()
        except EOFError:
            self._process.join()
            raise AssertionError(f"it ended with status {self._process.exitcode}") from None
        finally:
            self.kill()
        assert done, answer
        return answer

    def kill(self) -> None:
        """Ends it, if it runs."""
        self._process.kill()
        self._process.join()


def in_fresh_process(
    function: Callable[..., Any],
    *arguments: Any,
    environment: Mapping[str, str | None] | None = None,
) -> Any:
    """What a function returns in a process of its own, see `FreshProcess`."""
    return FreshProcess(function, *arguments, environment=environment).result()


def _run(
    sender: Connection,
    variables: Mapping[str, str | None],
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    os.environ.clear()
    os.environ.update({name: value for name, value in variables.items() if value is not None})
    with tempfile.TemporaryFile() as chatter:
        for stream in (1, 2):
            os.dup2(chatter.fileno(), stream)
        try:
            sender.send((True, function(*arguments)))
        except BaseException:
            chatter.seek(0)
            told = chatter.read().decode(errors="replace")[-4000:]
            sender.send((False, f"{told}\n{traceback.format_exc()}"))
