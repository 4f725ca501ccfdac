"""Where the network runs, and on how many threads."""

from __future__ import annotations

import tensorflow as tf
from absl import logging

from wbc_tf.inference.engines import DeviceError


def use_device(name: str) -> None:
    """Chooses the device for the whole process; a GPU's memory is taken as it is needed.

    TensorFlow decides at its first computation. Called later, in a program that has used TensorFlow
    already, this changes nothing if the device is the one in use, and else raises.

    Args:
      name: "cpu", "gpu", or "auto" for the GPUs that TensorFlow may use, if there are any.

    Raises:
      DeviceError: no GPU, a name that is none of these, or TensorFlow has started otherwise.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise DeviceError(f"device is auto, cpu or gpu, not {name!r}")
    gpus = tf.config.list_physical_devices("GPU")
    if name == "gpu" and not gpus:
        raise DeviceError(
            "--device=gpu: TensorFlow finds no GPU here. It takes NVIDIA's driver and "
            "pip install 'wbc_tf[gpu]'; or choose --device=cpu"
        )
    visible = tf.config.get_visible_devices("GPU")
    wanted = {"auto": visible, "cpu": [], "gpu": visible or gpus}[name]
    if wanted != visible:
        try:
            tf.config.set_visible_devices(wanted, "GPU")
        except RuntimeError as error:
            used = "on the GPU" if visible else "without a GPU"
            raise DeviceError(
                f"--device={name}: TensorFlow has already started {used} in this process, and "
                "cannot change that; start a new process"
            ) from error
    for gpu in wanted:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except (RuntimeError, ValueError) as error:
            # TensorFlow has started and reserved memory as the program around us wanted it, which
            # is no reason not to draw.
            logging.info("the memory of %s stays reserved as it is (%s)", gpu, error)


def use_threads(number: int) -> None:
    """Limits the threads of TensorFlow and OpenCV; before TensorFlow's first computation."""
    import cv2

    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)
    cv2.setNumThreads(number)
