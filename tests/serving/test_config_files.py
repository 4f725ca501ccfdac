"""The files in serving/, read as TensorFlow Serving and Docker would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow_serving.config import model_server_config_pb2


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "serving"


def test_models_config_is_what_the_server_parses(folder: Path) -> None:
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((folder / "models.config").read_text("utf-8"), config)
    (model,) = config.model_config_list.config
    assert model.name == "white_box"
    assert model.base_path == "/models/white_box"
    assert model.model_platform == "tensorflow"


def batching_parameters() -> type:
    """The server's BatchingParameters: its package leaves them out, so by their definition."""
    wrapped = ["max_batch_size", "batch_timeout_micros", "max_enqueued_batches"]
    wrapped += ["num_batch_threads"]
    file = descriptor_pb2.FileDescriptorProto(name="b.proto", package="b", syntax="proto3")
    value = file.message_type.add(name="Int64Value")
    value.field.add(name="value", number=1, type=3, label=1)
    parameters = file.message_type.add(name="BatchingParameters")
    for number, name in enumerate(wrapped, start=1):
        parameters.field.add(name=name, number=number, type=11, type_name=".b.Int64Value", label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("b.BatchingParameters"))


def test_batching_config_queues_and_merges_nothing(folder: Path) -> None:
    config = batching_parameters()()
    text_format.Parse((folder / "batching.config").read_text("utf-8"), config)
    assert config.max_batch_size.value == 1, "a broken picture must fail nobody else's request"
    assert config.num_batch_threads.value >= 1
    assert config.max_enqueued_batches.value >= 1


def test_the_compose_file_mounts_what_is_there(folder: Path) -> None:
    text = (folder / "docker-compose.yml").read_text("utf-8")
    mounted = dict(re.findall(r"- \./(\S+):(/\S+):ro", text))
    assert set(mounted) == {"models", "models.config", "batching.config"}
    for name, inside in mounted.items():
        if name != "models":  # where the exports go
            assert (folder / name).is_file()
            assert f"={inside}" in text, "the server is told of it"
    assert mounted["models"] == "/models"
    assert "tensorflow/serving:2.15" in text
