"""Pictures and their metadata on disk: finding, reading, encoding, writing whole files."""

from __future__ import annotations

import os
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]
