"""A storage server that speaks S3 on this machine, which fails now and then and counts writes."""

from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


class S3Server:
    """moto's server in a thread. Everything is held in memory.

    Args:
      busy: share of requests that are answered with 503.

    Attributes:
      writes: how often each key was written, by its path ``/bucket/key``.
      refused: how many requests were answered with 503.
    """

    def __init__(self, *, busy: float = 0.0) -> None:
        self.busy = busy
        self.writes: Counter[str] = Counter()
        self.refused = 0
        self._random = random.Random(0)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it tells of each request
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """The variables by which every S3 library finds it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if self._random.random() < self.busy:
            self.refused += 1
            environ["wsgi.input"].read(length)
            start_response("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Please slow down.</Message></Error>"]
        if environ["REQUEST_METHOD"] == "PUT":
            self.writes[environ["PATH_INFO"]] += 1
        return self._app(environ, start_response)
