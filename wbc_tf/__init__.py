"""White-box cartoonization in TensorFlow 2.

``from wbc_tf import Cartoonizer`` is the library's front door. It is resolved lazily (PEP 562), so
that ``import wbc_tf`` and ``--help`` do not wait for TensorFlow.

Import this package before TensorFlow: it turns oneDNN on, which TensorFlow itself does only on CPUs
with AVX512-VNNI. Without it a cartoon takes two to three times as long on all others. Set
``TF_ENABLE_ONEDNN_OPTS=0`` to keep it off.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wbc_tf.version import __version__

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

__all__ = ["Cartoonizer", "__version__"]

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str) -> Any:
    if name == "Cartoonizer":
        from wbc_tf.inference.cartoonizer import Cartoonizer

        return Cartoonizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
