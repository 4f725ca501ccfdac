from __future__ import annotations

from collections.abc import Iterator

import pytest
import tensorflow as tf

from wbc_tf.inference.device import DeviceError, use_device


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """What was asked of TensorFlow, which pretends to have two GPUs."""
    calls: list = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "two"])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *call: calls.append(call))
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda *call: calls.append(call)
    )
    return calls


@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_a_gpus_memory_is_taken_as_it_is_needed(chosen: list, name: str) -> None:
    use_device(name)
    assert chosen == [("one", True), ("two", True)]


def test_cpu_hides_the_gpus(chosen: list) -> None:
    use_device("cpu")
    assert chosen == [([], "GPU")]


def test_without_a_gpu_only_gpu_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    use_device("auto")
    use_device("cpu")
    with pytest.raises(DeviceError, match=r"finds no GPU here.*--device=cpu"):
        use_device("gpu")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="auto, cpu or gpu, not 'tpu'"):
        use_device("tpu")
