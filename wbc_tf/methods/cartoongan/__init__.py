"""CartoonGAN (Chen, Lai, Liu, CVPR 2018)."""

from __future__ import annotations

from wbc_tf.methods.cartoongan.config import CartoonGanConfig
from wbc_tf.training.spec import package_spec

SPEC = package_spec(__name__, title="CartoonGAN", config=CartoonGanConfig, method="CartoonGan")
