"""Damage to files, for Hypothesis to look for the worst.

The suite tries a few examples, the same each time. ``FUZZ_EXAMPLES=20000 python -m pytest
tests/fuzz`` tries many others. What it finds is kept with the tests as an ``example``.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: (place, number of bytes taken out there, bytes put in there). The place is a share of the file,
#: or a number of bytes from its beginning, where the headers are.
Edit = tuple["float | int", int, bytes]

_LENGTHS = st.one_of(st.just(0), st.just(1), st.integers(0, 64), st.integers(0, 2000))
# Numbers that are often the last that a format can hold.
_BYTES = st.one_of(
    st.binary(max_size=8),
    st.binary(max_size=64),
    st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\x80"]),
)
_PLACES = st.one_of(st.floats(0, 1, exclude_max=True), st.integers(0, 64), st.integers(0, 1000))

#: Up to four edits; none at all is the file as it was.
EDITS = st.lists(st.tuples(_PLACES, _LENGTHS, _BYTES), max_size=4)


def fuzz(examples: int) -> Callable[[Any], Any]:
    """Settings for a test that tries so many examples, or as many as FUZZ_EXAMPLES says."""
    wanted = os.environ.get("FUZZ_EXAMPLES")
    return settings(
        max_examples=int(wanted) if wanted else examples,
        derandomize=not wanted,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def damaged(content: bytes, edits: list[Edit]) -> bytes:
    """A file's content with these edits made, one after the other."""
    for place, length, filling in edits:
        at = int(place * len(content)) if isinstance(place, float) else place
        content = content[:at] + filling + content[at + length :]
    return content


def with_png_sums(content: bytes) -> bytes:
    """A PNG file with right checksums in its chunks again, so that the damage gets further."""
    if not content.startswith(b"\x89PNG"):
        return content
    done, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        chunk = content[at:end]
        done += [chunk, zlib.crc32(chunk[4:]).to_bytes(4, "big")]
        at = end + 4
    return b"".join(done)
