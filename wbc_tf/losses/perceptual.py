"""VGG features and their L1 distance: how far two pictures differ in content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf

from wbc_tf.artefact.weights import WeightsError, assign_strictly, named_variables

NETWORKS = ("vgg16", "vgg19")


class VggWeightsError(ValueError):
    """VGG weights that are not there or not as they must be; the message says what to do."""


class VggFeatures:
    """A frozen VGG up to one convolution, *before* that convolution's ReLU, as the authors use it.

    Features before the ReLU keep the negative half, in which two pictures may differ as well. A
    gradient tape that watches every variable it meets watches these too: name the ones to learn.

    Args:
      network: "vgg16" or "vgg19".
      layer: a convolution, such as "block4_conv3".
      weights: "imagenet", which Keras downloads once and keeps in ~/.keras; the path of an .h5
        file in Keras' format, of which only the layers up to `layer` are read, and all of them
        must be there; or "random", for trying things out.
      precision: a Keras policy's name. The convolutions run in its lower precision.

    Raises:
      ValueError: no such network or layer.
      VggWeightsError: the weights cannot be had, or are others than these layers'.
    """

    def __init__(
        self, network: str, layer: str, *, weights: str, precision: str = "float32"
    ) -> None:
        if network not in NETWORKS:
            raise ValueError(f"vgg is {network!r}, and must be one of {', '.join(NETWORKS)}")
        application = _application(network, "imagenet" if weights == "imagenet" else None)
        self._model = _cut(application, layer, precision=precision)
        if weights == "imagenet":
            for copy in self._model.layers:
                copy.set_weights(application.get_layer(copy.name).get_weights())
        elif weights != "random":
            _load(self._model, Path(weights))

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """[N, H, W, 3] RGB in [-1, 1] -> the layer's features, in the policy's lower precision."""
        return self._model(_preprocessed(images))

    def rectified(self, images: tf.Tensor, layers: Sequence[str]) -> list[tf.Tensor]:
        """The features of several layers in one pass, *after* their ReLU.

        Args:
          images: [N, H, W, 3] RGB in [-1, 1].
          layers: convolutions up to the network's own layer.

        Returns:
          One [N, h, w, c] for each, in the network's order.

        Raises:
          ValueError: a layer that is not among them.
        """
        known = [layer.name for layer in self._model.layers]
        if unknown := sorted(set(layers) - set(known)):
            raise ValueError(f"no {', '.join(unknown)} among {', '.join(known)}")
        features, found = _preprocessed(images), []
        for layer in self._model.layers:
            features = layer(features)
            if layer.name in layers:
                found.append(tf.nn.relu(features))
        return found


def content_l1(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of features, [N, h, w, c] of any float type; a float32 scalar."""
    return tf.reduce_mean(tf.abs(tf.cast(features, tf.float32) - tf.cast(target, tf.float32)))


def _preprocessed(images: tf.Tensor) -> tf.Tensor:
    """The caffe convention: BGR in [0, 255] less ImageNet's mean colour."""
    levels = (tf.cast(images, tf.float32) + 1.0) * 127.5
    return tf.keras.applications.vgg19.preprocess_input(levels)


def _application(network: str, weights: str | None) -> tf.keras.Model:
    build = {"vgg16": tf.keras.applications.VGG16, "vgg19": tf.keras.applications.VGG19}[network]
    try:
        return build(include_top=False, weights=weights)
    except Exception as error:  # Keras raises no narrower kind when a download fails
        if weights is None or "URL fetch failure" not in str(error):
            raise
        raise VggWeightsError(
            f"the ImageNet weights of {network.upper()} could not be downloaded "
            f"({str(error).rpartition(' -- ')[2]}). Give the path of Keras' .h5 file with "
            "--vgg_weights=PATH; docs/measuring.md tells how to get it"
        ) from error


def _cut(application: tf.keras.Model, layer: str, *, precision: str) -> tf.keras.Sequential:
    convolutions = [each.name for each in application.layers if "conv" in each.name]
    if layer not in convolutions:
        raise ValueError(
            f"vgg_layer is {layer!r}, and must be one of {', '.join(convolutions)} "
            f"with {application.name}"
        )
    # Built anew from the layers' settings, since the last one's activation and all precisions
    # differ; the layer itself is cheaper than undoing its ReLU, and exact.
    model = tf.keras.Sequential(name=application.name)
    for original in application.layers[1:]:  # the first is the input
        settings: dict[str, Any] = {**original.get_config(), "dtype": precision}
        if original.name == layer:
            settings["activation"] = "linear"
        model.add(type(original).from_config(settings))
        if original.name == layer:
            break
    model.build([None, None, None, 3])
    return model


def _load(model: tf.keras.Sequential, path: Path) -> None:
    if not path.is_file():
        raise VggWeightsError(
            f"vgg_weights: there is no file {path}. Give the path of an .h5 file of {model.name} "
            'in Keras\' format, or "imagenet" to download one.'
        )
    values = {}
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            for layer in model.layers:
                group = root.get(layer.name)
                if group is None:
                    continue  # the strict check below names it
                # Older files call the parts block1_conv1_W_1 and so on; their order is the same.
                for part, name in zip(("kernel", "bias"), group.attrs["weight_names"]):
                    values[f"{layer.name}/{part}"] = group[name][()]
    except (OSError, KeyError) as error:
        raise VggWeightsError(
            f"vgg_weights: {path} is no weight file in Keras' HDF5 format ({error})"
        ) from error
    try:
        assign_strictly(named_variables(model), values, source=str(path))
    except WeightsError as error:
        raise VggWeightsError(f"vgg_weights: {error}") from error
