"""A page with before/after sliders: a single file that needs no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from wbc_tf.files.pictures import encode_image

_TEMPLATES = Path(__file__).resolve().parent / "templates"
# From 90 on our JPEGs keep colour at full resolution, or the outlines of flat areas would smear.
_QUALITY = 90


def slider_page(
    names: Sequence[str], rows: Iterable[tuple[str, Sequence[np.ndarray]]]
) -> Iterator[str]:
    """An HTML page that holds its pictures, its style and its script.

    The page forbids itself every connection, by a Content-Security-Policy that admits pictures as
    ``data:`` and this very style and script by their hashes. Left and right show the first two
    columns; where there are more, the reader chooses.

    Args:
      names: of the columns, two or more.
      rows: (caption, pictures) with a uint8 [H, W, 3] picture for each column, all of one size:
        they lie on top of each other. They are read one by one as the page is. Names and captions
        may hold any text.

    Returns:
      The pieces of the page's text in order, to be stored as UTF-8.

    Raises:
      ValueError: fewer than two columns; while reading, a row that does not fit.
    """
    if len(names) < 2:
        raise ValueError(f"a page needs two columns or more, got {list(names)}")
    return _pieces(names, rows)


def _pieces(
    names: Sequence[str], rows: Iterable[tuple[str, Sequence[np.ndarray]]]
) -> Iterator[str]:
    style, script = _read("slider_page.css"), _read("slider_page.js")
    before, after = _read("slider_page.html").split("$figures")
    parts = {
        "policy": _policy(style=style, script=script),
        "title": escape(" · ".join(names)),
        "style": style,
        "script": script,
        "choice_hidden": "" if len(names) > 2 else " hidden",
        "options": "\n".join(
            f'<option value="{number}">{escape(name)}</option>' for number, name in enumerate(names)
        ),
    }
    yield Template(before).substitute(parts)
    for caption, pictures in rows:
        yield _figure(caption, names, pictures)
    yield Template(after).substitute(parts)


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _policy(*, style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _figure(caption: str, names: Sequence[str], pictures: Sequence[np.ndarray]) -> str:
    shapes = [picture.shape for picture in pictures]
    if len(shapes) != len(names) or len(set(shapes)) != 1:
        raise ValueError(f"{caption}: a row needs {len(names)} pictures of one size, not {shapes}")
    left, right, *rest = (
        _image(f"{caption}: {name}", picture) for name, picture in zip(names, pictures)
    )
    return f"""<figure>
<div class="stage">
<div class="side left">{left}<span class="name" aria-hidden="true">{escape(names[0])}</span></div>
<div class="side right">{right}<span class="name" aria-hidden="true">{escape(names[1])}</span></div>
<div class="rest" hidden>{"".join(rest)}</div>
<input type="range" min="0" max="100" step="any" value="50" autocomplete="off" \
aria-label="{escape(caption)}">
</div>
<figcaption>{escape(caption)}</figcaption>
</figure>
"""


def _image(text: str, picture: np.ndarray) -> str:
    data = encode_image(picture, file_format="JPEG", quality=_QUALITY)
    height, width = picture.shape[:2]
    return (
        f'<img alt="{escape(text)}" width="{width}" height="{height}" draggable="false" '
        f'src="data:image/jpeg;base64,{base64.b64encode(data).decode("ascii")}">'
    )
