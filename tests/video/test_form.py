from __future__ import annotations

from fractions import Fraction

from tests.video.clips import MATRICES
from wbc_tf.video.form import Form
from wbc_tf.video.orientation import UPRIGHT, Orientation


def test_the_orientation_follows_from_the_matrix() -> None:
    plain = Form(Fraction(1, 25), Fraction(25))
    assert plain.orientation == UPRIGHT
    turned = Form(Fraction(1, 25), Fraction(25), matrix=MATRICES[6])
    assert turned.orientation == Orientation(swapped=True, mirrored=True)
