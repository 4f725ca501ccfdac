"""What every exported model offers, whichever method made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from wbc_tf.images import tensor_to_float
from wbc_tf.serving.brightness import match_brightness
from wbc_tf.serving.codec import decode_picture, encode_picture, opaque
from wbc_tf.serving.settings import ServingSettings
from wbc_tf.serving.working_size import apply_coefficients, reduce_to_short_side

#: (photo, strength, delta) -> scale and offset. The photo is float32 [N, H, W, 3] in [-1, 1], any
#: size from 1x1, and so are scale and offset; strength and delta are float32 scalars.
Coefficients = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], "tuple[tf.Tensor, tf.Tensor]"]


def build_signatures(
    coefficients: Coefficients, settings: ServingSettings, *, delta: float = 1.0
) -> dict[str, Any]:
    """The signatures of an exported model, all with free batch, height and width.

    Each also takes ``strength`` (0 to 1.5) and ``delta`` (0 to 1), float32 scalars that a request
    may leave out: the defaults are 1 and the model's own delta. TensorFlow Serving fills them in
    from the SavedModel; in Python, `wbc_tf.artefact.model_directory.load_signatures` does.

    coefficients: photo, float32 [N, H, W, 3] RGB in [-1, 1] -> scale and offset, the local linear
      model ``cartoon = scale * photo + offset``. Enlarged, they give the cartoon at any other size
      of the same photo (fast guided filter, He & Sun 2015).
    predict_float: the same photo -> cartoon, float32 [N, H, W, 3]; the network at the photo's size.
    predict_uint8: photo, uint8 [N, H, W, 3] RGB -> cartoon, uint8; what `wbc_tf.Cartoonizer` does
      under these settings, the reduction to the working resolution included.
    serving_default: image_bytes, strings [N] (JPEG, PNG, a GIF's first frame; sizes may differ) ->
      cartoon_bytes, strings [N]. Where one cannot be read, the request fails, and the error names
      its position, as ``image_bytes[3]``. The names end in ``_bytes`` so that the REST interface
      uses base64.

    Args:
      coefficients: the method's network and filter, over variables that will be saved.
      settings: what is done around them.
      delta: the default.
    """
    floats = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")
    levels = tf.TensorSpec([None, None, None, 3], tf.uint8, name="photo")
    strings = tf.TensorSpec([None], tf.string, name="image_bytes")
    adjustments = [tf.TensorSpec([], tf.float32, name=name) for name in ("strength", "delta")]
    full, own = tf.constant(1.0), tf.constant(delta, tf.float32)

    @tf.function(input_signature=[floats, *adjustments])
    def coefficients_signature(
        photo: tf.Tensor, strength: tf.Tensor = full, delta: tf.Tensor = own
    ) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_refuse_nothing(photo)]):
            scale, offset = coefficients(tf.identity(photo), strength, delta)
        return {"scale": scale, "offset": offset}

    @tf.function(input_signature=[floats, *adjustments])
    def predict_float(
        photo: tf.Tensor, strength: tf.Tensor = full, delta: tf.Tensor = own
    ) -> dict[str, tf.Tensor]:
        model = coefficients_signature(photo, strength, delta)
        return {"cartoon": model["scale"] * photo + model["offset"]}

    # A function of its own, so that the two signatures below share one graph: the time that a model
    # takes to load grows with the number of functions.
    @tf.function(input_signature=[tf.TensorSpec([None, None, 4], tf.uint8), *adjustments])
    def cartoonize(picture: tf.Tensor, strength: tf.Tensor, delta: tf.Tensor) -> tf.Tensor:
        """RGBA in and out; the transparency stays as it is."""
        working = reduce_to_short_side(picture, settings.short_side)
        model = coefficients_signature(tensor_to_float(working[None, ..., :3]), strength, delta)
        target = picture if settings.output_size == "input" else working
        rgb = apply_coefficients(target[..., :3], model["scale"][0], model["offset"][0])
        if settings.match_brightness:
            rgb = match_brightness(rgb, picture[..., :3])
        return tf.concat([rgb, target[..., 3:]], axis=-1)

    # One picture at a time: the network keeps every core busy with one, and the memory it takes is
    # the largest picture's, not the batch's.
    @tf.function(input_signature=[levels, *adjustments])
    def predict_uint8(
        photo: tf.Tensor, strength: tf.Tensor = full, delta: tf.Tensor = own
    ) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_refuse_nothing(photo)]):
            pictures = opaque(photo)
        result = tf.TensorSpec([None, None, 4], tf.uint8)
        cartoon = tf.map_fn(
            lambda picture: cartoonize(picture, strength, delta),
            pictures,
            fn_output_signature=result,
            parallel_iterations=1,
        )
        return {"cartoon": cartoon[..., :3]}

    @tf.function(input_signature=[strings, *adjustments])
    def serving_default(
        image_bytes: tf.Tensor, strength: tf.Tensor = full, delta: tf.Tensor = own
    ) -> dict[str, tf.Tensor]:
        def answer(numbered: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            position, data = numbered
            name = tf.strings.join(["image_bytes[", tf.strings.as_string(position), "]"])
            picture = decode_picture(data, name=name)
            return encode_picture(cartoonize(picture, strength, delta), settings)

        numbered = (tf.range(tf.size(image_bytes)), image_bytes)
        cartoons = tf.map_fn(answer, numbered, fn_output_signature=tf.string, parallel_iterations=1)
        return {"cartoon_bytes": cartoons}

    return {
        "coefficients": coefficients_signature,
        "predict_float": predict_float,
        "predict_uint8": predict_uint8,
        "serving_default": serving_default,
    }


def _refuse_nothing(photo: tf.Tensor) -> tf.Operation:
    return tf.Assert(
        tf.size(photo) > 0,
        ["photo: no pictures, or pictures without pixels; its shape is", tf.shape(photo)],
    )
