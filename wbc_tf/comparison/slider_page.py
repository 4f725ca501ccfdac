"""Pictures before and after on one page, with a slider across each; a single file, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from wbc_tf.files.pictures import encode_image

_TEMPLATES = Path(__file__).resolve().parent / "templates"
# From 90 on our JPEGs keep colour at full resolution, or the outlines of flat areas would smear.
_QUALITY = 90


def slider_page(columns: Mapping[str, Sequence[np.ndarray]], captions: Sequence[str]) -> str:
    """An HTML page that holds its pictures, its style and its script.

    The page forbids itself every connection, by a Content-Security-Policy that admits pictures as
    ``data:`` and this very style and script by their hashes. Left and right show the first two
    columns; where there are more, the reader chooses.

    Args:
      columns: name -> uint8 [H, W, 3] pictures, one per caption, two columns at least. The pictures
        of a row must be of one size: they lie on top of each other.
      captions: of the rows, such as file names. Names and captions may hold any text.

    Returns:
      The page, to be stored as UTF-8.

    Raises:
      ValueError: fewer than two columns, no pictures, or columns and rows that do not fit.
    """
    counts = {name: len(pictures) for name, pictures in columns.items()}
    if len(columns) < 2 or not captions or set(counts.values()) != {len(captions)}:
        raise ValueError(
            "a page needs two columns or more with a picture for each of its captions; got "
            f"{len(captions)} captions and pictures {counts}"
        )
    names = list(columns)
    style, script = _read("slider_page.css"), _read("slider_page.js")
    return Template(_read("slider_page.html")).substitute(
        policy=_policy(style=style, script=script),
        title=escape(" · ".join(names)),
        summary=_summary(len(captions)),
        style=style,
        script=script,
        choice_hidden="" if len(names) > 2 else " hidden",
        options="\n".join(
            f'<option value="{number}">{escape(name)}</option>' for number, name in enumerate(names)
        ),
        figures="\n".join(
            _figure(caption, names, row) for caption, row in zip(captions, zip(*columns.values()))
        ),
    )


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _policy(*, style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; "
        f"script-src 'sha256-{digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _summary(rows: int) -> str:
    pictures = "1 picture" if rows == 1 else f"{rows} pictures"
    return f"{pictures}. Drag a handle, or focus it and use the arrow keys."


def _figure(caption: str, names: Sequence[str], pictures: Sequence[np.ndarray]) -> str:
    sizes = {picture.shape for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"{caption}: the pictures of a row must be of one size, not {sizes}")
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
</figure>"""


def _image(text: str, picture: np.ndarray) -> str:
    data = encode_image(picture, file_format="JPEG", quality=_QUALITY)
    height, width = picture.shape[:2]
    return (
        f'<img alt="{escape(text)}" width="{width}" height="{height}" draggable="false" '
        f'src="data:image/jpeg;base64,{base64.b64encode(data).decode("ascii")}">'
    )
