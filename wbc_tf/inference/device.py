"""Where the network runs."""

from __future__ import annotations

import tensorflow as tf

from wbc_tf.inference.engines import DeviceError


def use_device(name: str) -> None:
    """Chooses before TensorFlow's first computation; a GPU's memory is taken as it is needed.

    Args:
      name: "cpu", "gpu", or "auto" for a GPU if there is one.

    Raises:
      DeviceError: no GPU, or a name that is none of these.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise DeviceError(f"device is auto, cpu or gpu, not {name!r}")
    gpus = tf.config.list_physical_devices("GPU")
    if name == "gpu" and not gpus:
        raise DeviceError(
            "--device=gpu: TensorFlow finds no GPU here. It takes NVIDIA's driver and "
            "pip install 'wbc_tf[gpu]'; or choose --device=cpu"
        )
    if name == "cpu" and gpus:
        tf.config.set_visible_devices([], "GPU")
        return
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
