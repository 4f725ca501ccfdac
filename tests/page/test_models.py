from __future__ import annotations

from pathlib import Path

import pytest

from tests.page.stand_ins import stand_in
from wbc_tf.page.models import Offer, load_offers, offer_of
from wbc_tf.page.refusal import Refusal


def test_an_offer_says_what_its_model_can_do() -> None:
    plain = Offer("white_box", stand_in())
    assert (plain.label, plain.licence) == ("white box", "CC *BY*")
    assert (plain.has_delta, plain.has_brightness) == (False, False)
    hayao = Offer("hayao", stand_in(method="animegan_v2", delta=0.0, match_brightness=True))
    assert hayao.label == "hayao (animegan v2)"
    assert (hayao.has_delta, hayao.has_brightness) == (True, True)


def test_a_model_that_is_not_offered_is_refused_with_those_that_are() -> None:
    offers = {"a": Offer("a", stand_in()), "b": Offer("b", stand_in())}
    assert offer_of(offers, "b") is offers["b"]
    with pytest.raises(Refusal, match=r"There is no model 'c' here\. Choose one of: a, b\."):
        offer_of(offers, "c")


def test_a_model_that_is_named_and_embedded_is_offered_once(root: Path) -> None:
    offers = load_offers([str(root / "pretrained_models" / "white_box"), "white_box"])
    assert next(iter(offers)) == "white_box"
    assert "white_box, another" not in offers
