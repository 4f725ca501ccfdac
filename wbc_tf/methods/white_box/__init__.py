"""White-box cartoon representations (Wang & Yu, CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.training.spec import Converter, MethodSpec

if TYPE_CHECKING:
    from wbc_tf.artefact.exported import Exported
    from wbc_tf.training.method import Method


def _build(config: WhiteBoxConfig) -> Method:
    from wbc_tf.methods.white_box.method import WhiteBox

    return WhiteBox(config)


def _exported() -> Exported:
    from wbc_tf.methods.white_box.exported import EXPORTED

    return EXPORTED


def _converter() -> Converter:
    from wbc_tf.methods.white_box.convert import CONVERTER

    return CONVERTER


SPEC = MethodSpec(
    name="white_box",
    title="White-box Cartoonization",
    config=WhiteBoxConfig,
    build=_build,
    exported=_exported,
    converter=_converter,
)
