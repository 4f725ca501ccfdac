"""What Pillow and its libtiff say while they decode a picture: collected, not printed.

Both write to stderr and do not name the file. Several threads decode at once, so each message goes
to the thread that it comes from.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

# A broken file can give thousands.
_MOST = 5
# What Pillow calls every file when it speaks to libtiff.
_PILLOWS_NAME = "tempfile.tif"

_collecting = threading.local()
_lock = threading.Lock()
_collectors = 0
_filters = contextlib.ExitStack()


@contextlib.contextmanager
def collected_messages() -> Iterator[list[str]]:
    """Within, the list gets what Pillow and libtiff say in this thread, each message once.

    Other threads' messages go where they went before. libtiff's are collected where the system lets
    us find the library that Pillow uses; on Windows they are printed as before.
    """
    _listen()
    messages: list[str] = []
    before = getattr(_collecting, "messages", None)
    _collecting.messages = messages
    _begin()
    try:
        yield messages
    finally:
        _end()
        _collecting.messages = before


def _hear(message: str) -> bool:
    """Whether this thread collects messages; then this one is among them."""
    messages: list[str] | None = getattr(_collecting, "messages", None)
    if messages is None:
        return False
    text = " ".join(message.split()).rstrip(".")
    if text not in messages and len(messages) < _MOST:
        messages.append(text)
    return True


def _begin() -> None:
    """The first of several threads sends warnings here; Python's filters are the process's."""
    global _collectors, _show_elsewhere
    with _lock:
        _collectors += 1
        if _collectors == 1:
            _filters.enter_context(warnings.catch_warnings())
            # By default Python shows a warning once, so the second file's would be lost.
            warnings.filterwarnings("always", module=r"PIL\.")
            if warnings.showwarning is not _show:
                _show_elsewhere = warnings.showwarning
            warnings.showwarning = _show


def _end() -> None:
    """The last of them sets the process's filters back."""
    global _collectors
    with _lock:
        _collectors -= 1
        if not _collectors:
            _filters.close()


_show_elsewhere: Callable[..., None] = warnings.showwarning


def _show(message: Warning | str, *arguments: Any, **options: Any) -> None:
    if not _hear(str(message)):
        _show_elsewhere(message, *arguments, **options)


# libtiff's type of a function for messages: the place in its program, a format for C's printf, and
# a va_list, which C passes as an address on the systems that have wheels of Pillow.
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@functools.lru_cache(maxsize=1)
def _listen() -> list[Any]:
    """Listens to libtiff and to Pillow's log; once, for what no thread collects is passed on.

    Returns:
      The functions that libtiff calls, which must live as long as it; none where it is not found.
    """
    log = logging.getLogger("PIL.TiffImagePlugin")
    log.addFilter(lambda record: record.levelno < logging.WARNING or not _hear(record.getMessage()))
    try:
        library, c = ctypes.CDLL(Image.core.__file__), ctypes.CDLL(None)
        setters = (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler)
        into_text = c.vsnprintf
    except (OSError, AttributeError, TypeError):
        return []
    into_text.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p)
    return [_install(setter, into_text) for setter in setters]


def _install(setter: Any, into_text: Any) -> Any:
    setter.restype, setter.argtypes = _Handler, (_Handler,)

    def handle(module: bytes | None, form: bytes, arguments: int) -> None:
        if getattr(_collecting, "messages", None) is None:
            if before:
                before(module, form, arguments)
            return
        text = ctypes.create_string_buffer(500)
        into_text(text, len(text), form, arguments)
        said = text.value.decode("utf-8", "replace").replace(f"{_PILLOWS_NAME}: ", "")
        where = (module or b"").decode("utf-8", "replace")
        _hear(said if where in ("", _PILLOWS_NAME) else f"{where}: {said}")

    handler = _Handler(handle)
    before = setter(handler)
    return handler
