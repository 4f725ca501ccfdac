"""What users choose, for photos and for videos. Importing this imports no library."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class DrawSettings:
    """How a picture is drawn; the fields are keyword arguments of `Cartoonizer`.

    Attributes:
      short_side: working resolution in pixels; 0 works at each picture's own size, None at the
        model's own working resolution.
      output_size: "input" for results of the picture's own size, "working" for the size that the
        network worked at.
      strength: 0 is the photo, 1 the cartoon, up to 1.5 goes beyond it.
      delta: how much of the guided filter is applied, 0 to 1; None takes the model's own.
      match_brightness: make the result as bright as the picture; None as the model says.
    """

    short_side: int | None = None
    output_size: str = "input"
    strength: float = 1.0
    delta: float | None = None
    match_brightness: bool | None = None

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for `Cartoonizer`: what differs from its defaults."""
        defaults = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


@dataclass(frozen=True)
class VideoSettings:
    """How videos are made.

    Attributes:
      draw: how each frame is drawn.
      codec: a key of `wbc_tf.video.formats.CODECS`; None takes the container's usual one.
      crf: quality; None takes the codec's usual one.
      preset: speed, one of `wbc_tf.video.formats.PRESETS`.
      start: seconds to leave out at the beginning.
      duration: seconds to take; None takes the rest.
      stabilize: lower the flicker between frames.
      max_pixels: refuse larger frames; None takes all.
      segment_seconds: make longer videos in segments of so many seconds. A run that was broken off
        leaves its finished segments to the next. None makes each video in one piece.
    """

    draw: DrawSettings = DrawSettings()
    codec: str | None = None
    crf: int | None = None
    preset: str = "medium"
    start: float = 0.0
    duration: float | None = None
    stabilize: bool = False
    max_pixels: int | None = None
    segment_seconds: float | None = None
