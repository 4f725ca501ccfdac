from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.training.spec import ConversionError
from wbc_tf.training.tf1_checkpoint import find_checkpoint, origin, read_checkpoint


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """A checkpoint of one variable, as TensorFlow 1's Saver wrote it."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.Variable(np.arange(6.0).reshape(2, 3), name="conv/weights")
        session.run(variable.initializer)
        return tf.compat.v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))


def test_a_prefix_and_its_folder_are_the_same(prefix: str) -> None:
    assert find_checkpoint(prefix) == prefix
    assert find_checkpoint(Path(prefix).parent) == prefix
    assert origin(prefix) == "the authors' checkpoint model.ckpt"
    (values,) = read_checkpoint(prefix).items()
    assert values[0] == "conv/weights"
    np.testing.assert_array_equal(values[1], [[0, 1, 2], [3, 4, 5]])


def test_where_nothing_is_the_message_says_what_to_give(tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "model.ckpt"):
        with pytest.raises(ConversionError, match=f"{missing}: no TensorFlow checkpoint"):
            find_checkpoint(missing)


def test_a_cut_off_data_file_is_said(prefix: str) -> None:
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(ConversionError, match="unreadable checkpoint"):
        read_checkpoint(prefix)
