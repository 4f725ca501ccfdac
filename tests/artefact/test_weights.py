from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.artefact.weights import (
    WeightsError,
    assign_strictly,
    bgr_to_rgb,
    check_names_and_shapes,
    named_variables,
)


class Nested(tf.keras.Model):
    """A model whose layers' names the caller chooses."""

    def __init__(self, *names: str) -> None:
        super().__init__(name="nested")
        self.parts = [tf.keras.layers.Dense(2, name=name) for name in names]

    def call(self, x: tf.Tensor) -> tf.Tensor:
        for part in self.parts:
            x = part(x)
        return x


@pytest.fixture
def model() -> Nested:
    model = Nested("one", "two")
    model(tf.zeros([1, 3]))
    return model


def test_variables_are_named_by_their_path_inside_the_model(model: Nested) -> None:
    variables = named_variables(model)
    assert set(variables) == {"one/kernel", "one/bias", "two/kernel", "two/bias"}
    assert variables["one/kernel"] is model.parts[0].kernel


def test_two_variables_of_one_name_are_refused() -> None:
    model = Nested("same", "same")
    model(tf.zeros([1, 3]))
    with pytest.raises(ValueError, match="share a name"):
        named_variables(model)


def _values(model: Nested) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=variable.shape).astype(np.float32)
        for name, variable in named_variables(model).items()
    }


def test_values_go_to_the_variables_of_their_names(model: Nested) -> None:
    values = _values(model)
    assign_strictly(named_variables(model), dict(reversed(values.items())), source="a test")
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    hidden = x @ values["one/kernel"] + values["one/bias"]
    expected = hidden @ values["two/kernel"] + values["two/bias"]
    np.testing.assert_allclose(model(x), expected, rtol=1e-5, atol=1e-6)


def test_every_difference_is_listed_and_nothing_is_changed(model: Nested) -> None:
    values = _values(model)
    values["two/offset"] = values.pop("two/bias")
    values["one/kernel"] = np.zeros((2, 3), np.float32)
    del values["one/bias"]
    before = [variable.numpy() for variable in model.variables]
    with pytest.raises(WeightsError) as error:
        assign_strictly(named_variables(model), values, source="somewhere.ckpt")
    assert str(error.value).splitlines() == [
        "somewhere.ckpt does not hold the weights of this network:",
        "  missing: one/bias",
        "  missing: two/bias",
        "  not expected: two/offset",
        "  wrong shape: one/kernel is [2, 3], expected [3, 2]",
    ]
    for variable, value in zip(model.variables, before):
        np.testing.assert_array_equal(variable, value)


def test_a_transposed_kernel_of_equal_size_is_no_match() -> None:
    expected, found = {"k": np.zeros((2, 8))}, {"k": np.zeros((8, 2))}
    with pytest.raises(WeightsError, match="wrong shape: k"):
        check_names_and_shapes(expected, found, source="a test")
    check_names_and_shapes(expected, expected, source="a test")


def test_a_network_for_bgr_becomes_one_for_rgb() -> None:
    values = {
        "in": np.arange(18.0).reshape(1, 1, 3, 6),
        "out": np.arange(18.0).reshape(1, 1, 6, 3),
        "bias": np.array([1.0, 2.0, 3.0]),
    }
    bgr = np.array([0.2, -0.4, 0.7])
    expected = (bgr @ values["in"][0, 0] @ values["out"][0, 0] + values["bias"])[::-1]
    bgr_to_rgb(values, first="in", last=["out", "bias"])
    drawn = bgr[::-1] @ values["in"][0, 0] @ values["out"][0, 0] + values["bias"]
    np.testing.assert_allclose(drawn, expected)
