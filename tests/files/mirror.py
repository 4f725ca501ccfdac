"""A web server with files, for tests of downloads."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Mirror:
    """A web server on this machine that holds files, and can be told to spoil one of them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.cut_off = ""  # this file's body stops half-way, and the connection closes
        self.stall = ""  # this file's body stops half-way, and the connection stays
        self.done = threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rsplit("/", 1)[-1]
                mirror.asked.append(name)
                if name not in mirror.files:
                    self.send_error(404)
                    return
                body = mirror.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                spoilt = name in (mirror.cut_off, mirror.stall)
                self.wfile.write(body[: len(body) // 2] if spoilt else body)
                if name == mirror.stall:
                    mirror.done.wait(10)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/saved_models"

    def close(self) -> None:
        self.done.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
