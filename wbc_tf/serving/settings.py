"""What an exported model's graph does with a picture besides cartoonizing it."""

from __future__ import annotations

from dataclasses import dataclass

OUTPUT_SIZES = ("input", "working")
ENCODINGS = ("png", "jpeg")


@dataclass(frozen=True)
class ServingSettings:
    """Fixed when a model is exported, because a client sends only its picture.

    Attributes:
      short_side: working resolution in pixels, see `wbc_tf.Cartoonizer`; 0 works at each picture's
        own size, and a large picture from a client then takes much of the server's memory.
      output_size: "input" or "working", see `wbc_tf.Cartoonizer`.
      encoding: of `cartoon_bytes`, "png" or "jpeg".
      quality: of JPEG, 1 to 100.
      match_brightness: make each cartoon as bright as its photo, see `wbc_tf.serving.brightness`.
    """

    short_side: int = 720
    output_size: str = "input"
    encoding: str = "png"
    quality: int = 95
    match_brightness: bool = False

    def __post_init__(self) -> None:
        if self.short_side < 0:
            raise ValueError(f"short_side is a number of pixels or 0, not {self.short_side}")
        if self.output_size not in OUTPUT_SIZES:
            raise ValueError(f"output_size is one of {OUTPUT_SIZES}, not {self.output_size!r}")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding is one of {ENCODINGS}, not {self.encoding!r}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is 1 to 100, not {self.quality}")


DEFAULT_SETTINGS = ServingSettings()
