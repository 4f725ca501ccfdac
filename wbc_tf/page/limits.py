"""How much one visitor may ask of the page. Each field is a flag of the command."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar


@dataclass(frozen=True)
class Limits:
    """What the page refuses.

    Raises:
      ValueError: a limit that is not above zero.
    """

    topic: ClassVar[str] = "Limits"

    max_upload_mb: int = field(
        default=100, metadata={"help": "Largest file that may be uploaded, in megabytes."}
    )
    max_megapixels: float = field(
        default=40.0,
        metadata={
            "help": "Largest photo (all frames of an animation together) and largest frame of a "
            "video, in megapixels."
        },
    )
    max_photos: int = field(
        default=20, metadata={"help": "Most photos that may be made in one request."}
    )
    max_video_seconds: float = field(
        default=60.0, metadata={"help": "Longest part of a video that may be made, in seconds."}
    )
    max_queue: int = field(
        default=40, metadata={"help": "Requests that may wait. Further ones are refused."}
    )
    max_jobs: int = field(
        default=1,
        metadata={"help": "Requests that are worked on at once. Each takes the memory of one."},
    )

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value <= 0:
                raise ValueError(f"--{limit.name}={value}: it must be above 0")

    @property
    def max_pixels(self) -> int:
        """`max_megapixels` in pixels."""
        return round(self.max_megapixels * 1e6)
