"""How a cartoon is drawn: what photos, videos, the client's page and the cluster have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DrawSettings:
    """How a picture is drawn; the fields are keyword arguments of `Cartoonizer`, which see.

    Attributes:
      short_side: working resolution in pixels; 0 works at each picture's own size, None at the
        model's own working resolution.
      output_size: "input" for results of the picture's own size, "working" for the size that the
        network worked at.
      strength: between the photo at 0 and the cartoon at 1, and up to 1.5 beyond it.
      delta: share of the guided filter, 0 to 1; less is sharper. None is the model's own.
    """

    short_side: int | None = None
    output_size: str = "input"
    strength: float = 1.0
    delta: float | None = None

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for `Cartoonizer`; what is None is left to the model."""
        return {name: value for name, value in asdict(self).items() if value is not None}
