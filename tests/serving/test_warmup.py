from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.serving.stand_ins import PlainModel
from wbc_tf.serving.warmup import WARMUP, write_warmup


def records(version: Path) -> list[prediction_log_pb2.PredictionLog]:
    dataset = tf.data.TFRecordDataset(str(version / WARMUP))
    return [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in dataset]


def test_the_place_that_the_server_looks_at() -> None:
    assert WARMUP.as_posix() == "assets.extra/tf_serving_warmup_requests"


def test_every_record_is_answered_by_the_model_as_the_server_loads_it(exported: Path) -> None:
    model = PlainModel(exported)
    answered = set()
    for record in records(exported):
        request = record.predict_log.request
        assert record.WhichOneof("log_type") == "predict_log"
        assert request.model_spec.name == "cartoonist"
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        outputs = model.predict(request.model_spec.signature_name, inputs)
        assert all(len(value) == len(next(iter(inputs.values()))) for value in outputs.values())
        answered.add(request.model_spec.signature_name)
    assert answered == {"serving_default", "predict_uint8", "predict_float"}


def test_the_servers_own_limit_is_kept(exported: Path) -> None:
    assert 1 <= len(records(exported)) <= 1000


def test_nowhere_to_write_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(tf.errors.OpError):
        write_warmup(tmp_path / "nowhere", model_name="m")
