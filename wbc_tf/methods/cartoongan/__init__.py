"""CartoonGAN (Chen, Lai, Liu, CVPR 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.training.spec import Converter, MethodSpec

if TYPE_CHECKING:
    from wbc_tf.artefact.exported import Exported
    from wbc_tf.training.method import Method


def _build(config: CartoonGanConfig) -> Method:
    from wbc_tf.methods.cartoongan.method import CartoonGan

    return CartoonGan(config)


def _exported() -> Exported:
    from wbc_tf.methods.cartoongan.exported import EXPORTED

    return EXPORTED


def _converter() -> Converter:
    from wbc_tf.methods.cartoongan.convert import CONVERTER

    return CONVERTER


SPEC = MethodSpec(
    name="cartoongan",
    title="CartoonGAN",
    config=CartoonGanConfig,
    build=_build,
    exported=_exported,
    converter=_converter,
)
