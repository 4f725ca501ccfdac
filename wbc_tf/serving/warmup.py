"""Warm-up records: requests that a model server runs by itself before it accepts those of clients.

The first request to a model builds kernels and buffers, and would keep a client waiting for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from wbc_tf.images import tensor_to_float
from wbc_tf.serving.sample_photo import sample_photo

#: Where TensorFlow Serving looks, inside a version's folder.
WARMUP = Path("assets.extra", "tf_serving_warmup_requests")

# A photo above the default working resolution, and one below it with odd sides.
_LARGE, _SMALL = (960, 1280), (97, 131)


def write_warmup(version: Path, *, model_name: str) -> None:
    """Writes the records into a version's folder; needs the extra ``[serving]``.

    Args:
      version: the folder with ``saved_model.pb``.
      model_name: under which it will be served.
    """
    # The package comes with the extra only, and only exporting for a server needs it.
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(version / WARMUP)) as writer:
        for signature, name, tensor in _requests():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(tensor))
            predict_log = prediction_log_pb2.PredictLog(request=request)
            log = prediction_log_pb2.PredictionLog(predict_log=predict_log)
            writer.write(log.SerializeToString())


def _requests() -> list[tuple[str, str, Any]]:
    large, small = sample_photo(*_LARGE), sample_photo(*_SMALL)
    files = [tf.io.encode_jpeg(large).numpy(), tf.io.encode_png(small).numpy()]
    return [
        ("serving_default", "image_bytes", tf.constant(files)),
        ("predict_uint8", "photo", tf.constant(small[None])),
        ("predict_float", "photo", tensor_to_float(small[None])),
    ]
