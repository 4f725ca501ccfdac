from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import pytest
import tensorflow as tf

from tests.fresh import in_fresh_process
from wbc_tf.inference.device import DeviceError, use_device, use_threads


@dataclass
class Machine:
    """TensorFlow's settings on a machine with two GPUs; fixed once it has started."""

    visible: list = field(default_factory=lambda: ["one", "two"])
    growing: list = field(default_factory=list)
    started: bool = False

    def list_physical_devices(self, kind: str) -> list:
        return ["one", "two"]

    def get_visible_devices(self, kind: str) -> list:
        return self.visible

    def set_visible_devices(self, devices: list, kind: str) -> None:
        if self.started:
            raise RuntimeError("Visible devices cannot be modified after being initialized")
        self.visible = devices

    def set_memory_growth(self, device: str, enable: bool) -> None:
        if self.started:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.growing.append(device)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    for name in ("list_physical_devices", "get_visible_devices", "set_visible_devices"):
        monkeypatch.setattr(tf.config, name, getattr(machine, name))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", machine.set_memory_growth)
    return machine


@pytest.mark.parametrize("name", ["auto", "gpu"])
def test_a_gpus_memory_is_taken_as_it_is_needed(machine: Machine, name: str) -> None:
    use_device(name)
    assert (machine.visible, machine.growing) == (["one", "two"], ["one", "two"])


def test_cpu_hides_the_gpus_and_gpu_shows_them_again(machine: Machine) -> None:
    use_device("cpu")
    assert (machine.visible, machine.growing) == ([], [])
    use_device("auto")
    assert machine.visible == [], "the program's own choice is kept"
    use_device("gpu")
    assert machine.visible == ["one", "two"]


def test_once_tensorflow_has_started_only_another_device_is_refused(machine: Machine) -> None:
    machine.started = True
    use_device("auto")
    use_device("gpu")
    with pytest.raises(DeviceError, match=r"--device=cpu: .* already started on the GPU"):
        use_device("cpu")
    machine.visible = []
    use_device("auto")
    use_device("cpu")
    with pytest.raises(DeviceError, match=r"--device=gpu: .* started without a GPU .* new process"):
        use_device("gpu")


def test_without_a_gpu_only_gpu_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("list_physical_devices", "get_visible_devices"):
        monkeypatch.setattr(tf.config, name, lambda kind: [])
    tf.constant(1.0)  # TensorFlow has started
    use_device("auto")
    use_device("cpu")
    with pytest.raises(DeviceError, match=r"finds no GPU here.*--device=cpu"):
        use_device("gpu")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="auto, cpu or gpu, not 'tpu'"):
        use_device("tpu")


def threads_of_one() -> tuple[int, int, int]:
    use_threads(1)
    threads = tf.config.threading
    return (
        threads.get_intra_op_parallelism_threads(),
        threads.get_inter_op_parallelism_threads(),
        cv2.getNumThreads(),
    )


def test_threads_are_limited_in_a_fresh_process() -> None:
    # Another process, for TensorFlow's threads cannot be changed once it computes.
    assert in_fresh_process(threads_of_one) == (1, 1, 1)
