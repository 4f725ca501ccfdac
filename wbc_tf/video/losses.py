"""What a finished file says, compared with what it was to say: no container keeps everything."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import av

from wbc_tf.video.colour import Colour
from wbc_tf.video.form import Form
from wbc_tf.video.orientation import display_matrix


def losses(path: Path, form: Form) -> list[str]:
    """Reads a file's header and first frame.

    Returns:
      What is not there of `form`, each a phrase for people.
    """
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        tags = {name.lower(): value for name, value in container.metadata.items()}
        chapters = container.chapters()
        shape = stream.sample_aspect_ratio or 1
    lost = []
    missing = sorted(n for n, value in form.metadata.items() if tags.get(n.lower()) != value)
    if missing:
        lost.append(f"tags that are not kept: {', '.join(missing)}")
    if len(chapters) != len(form.chapters):
        lost.append("chapters are not kept")
    if shape != form.pixel_shape:
        lost.append(f"the pixels' shape ({form.pixel_shape}) is not kept")
    if display_matrix(frame) != form.matrix:
        lost.append("that players are to turn the picture is not kept")
    said = (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)
    meant = astuple(form.colour)
    if any(a != b for a, b, unstated in zip(said, meant, astuple(Colour())) if b != unstated):
        lost.append("what is said of the colours is not kept")
    return lost
