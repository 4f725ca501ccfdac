"""AnimeGANv2 (Chen, Liu & Chen, ISICA 2019, second version)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.training.spec import Converter, MethodSpec

if TYPE_CHECKING:
    from wbc_tf.artefact.exported import Exported
    from wbc_tf.training.method import Method


def _build(config: AnimeGanV2Config) -> Method:
    from wbc_tf.methods.animegan_v2.method import AnimeGanV2

    return AnimeGanV2(config)


def _exported() -> Exported:
    from wbc_tf.methods.animegan_v2.exported import EXPORTED

    return EXPORTED


def _converter() -> Converter:
    from wbc_tf.methods.animegan_v2.convert import CONVERTER

    return CONVERTER


SPEC = MethodSpec(
    name="animegan_v2",
    title="AnimeGANv2",
    config=AnimeGanV2Config,
    build=_build,
    exported=_exported,
    converter=_converter,
)
