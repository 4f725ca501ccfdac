"""White-box cartoon representations (Wang & Yu, CVPR 2020)."""

from __future__ import annotations

from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.training.spec import package_spec

SPEC = package_spec(
    __name__, title="White-box Cartoonization", config=WhiteBoxConfig, method="WhiteBox"
)
