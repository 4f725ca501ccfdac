"""AnimeGANv2 (Chen, Liu & Chen, ISICA 2019, second version)."""

from __future__ import annotations

from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.training.spec import package_spec

SPEC = package_spec(__name__, title="AnimeGANv2", config=AnimeGanV2Config, method="AnimeGanV2")
