"""Starts and ends the page's server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wbc_tf.page.limits import Limits
from wbc_tf.page.models import Offer
from wbc_tf.page.workspace import Workspace

_SCRIPT = Path(__file__).with_name("accessible.js")
_STYLE = """
#licence p { font-size: var(--text-sm); color: var(--body-text-color-subdued); }
#examples .gallery-item, #examples .gallery-item * { width: 64px; height: 64px; }
button[role="tab"][aria-selected="true"] { color: var(--primary-600); }
.dark button[role="tab"][aria-selected="true"] { color: var(--primary-300); }
footer .divider { display: none; }
"""

# The browser loads nothing from elsewhere and sends nothing elsewhere. Gradio's page has its
# scripts in line, and compiles some.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "base-uri 'self'; form-action 'self'; frame-ancestors "
)


class _Guard:
    """ASGI middleware: adds the headers, and refuses to fetch files of other servers."""

    def __init__(self, app: Any, embedded_by: str | None) -> None:
        self._app = app
        headers = {
            "Content-Security-Policy": _POLICY + (embedded_by or "'none'"),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        self._headers = [(name.lower().encode(), text.encode()) for name, text in headers.items()]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        async def with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        if "file=http" in scope.get("path", "") or "/proxy=" in scope.get("path", ""):
            await with_headers({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"Only files of this server."})
            return
        await self._app(scope, receive, with_headers)


@contextlib.contextmanager
def served(
    offers: Mapping[str, Offer],
    limits: Limits,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    users: list[tuple[str, str]] | None = None,
    embedded_by: str | None = None,
) -> Iterator[str]:
    """Within, the page is served; at the end the server stops and all files are removed.

    Args:
      offers: from `load_offers`.
      limits: what is refused.
      host: the address to listen on.
      port: to listen on.
      users: names and passwords; none lets everyone in.
      embedded_by: address of a site that may show the page in a frame; None lets no site do that.

    Yields:
      The page's address.

    Raises:
      OSError: the port is taken.
    """
    with Workspace() as workspace:
        # Gradio reads these when it is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(workspace.folder)
        os.environ["GRADIO_EXAMPLES_CACHE"] = str(workspace.folder / "examples")
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        from starlette.middleware import Middleware

        from wbc_tf.page.handlers import Handlers
        from wbc_tf.page.layout import build_page, theme

        page = build_page(Handlers(offers, limits, workspace))
        workspace.keep_what_is_there()
        page.queue(max_size=limits.max_queue)
        try:
            _, url, _ = page.launch(
                server_name=host,
                server_port=port,
                auth=users or None,
                max_file_size=limits.max_upload_mb * 2**20,
                theme=theme(),
                css=_STYLE,
                head=f"<script>{_SCRIPT.read_text('utf-8')}</script>",
                footer_links=["api"],
                # It offers visitors to store their pictures with another service.
                run_history=False,
                app_kwargs={"middleware": [Middleware(_Guard, embedded_by=embedded_by)]},
                share=False,
                ssr_mode=False,
                prevent_thread_lock=True,
                quiet=True,
                show_error=True,
            )
            yield url
        finally:
            page.close(verbose=False)
