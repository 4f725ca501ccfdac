from __future__ import annotations

import pytest

from wbc_tf.additions.config import AddedFields
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.training.config import TrainingConfig


@pytest.mark.parametrize("preset", WhiteBoxConfig.presets())
def test_additions_are_off_in_the_recipes_of_paper_and_code(preset: str) -> None:
    config = WhiteBoxConfig.presets()[preset]
    added = set(AddedFields.__dataclass_fields__) - set(TrainingConfig.__dataclass_fields__)
    weights = {name: getattr(config, name) for name in added if name.endswith("_weight")}
    assert weights.pop("raw_weight") == 1.0, "the bare L1, as released"
    assert weights.keys() >= {"pixel_weight", "gradient_weight", "contrast_weight"}
    assert set(weights.values()) == {0.0}
    assert (config.content_target, config.discriminator_rate) == ("photo", 1.0)


@pytest.mark.parametrize(
    ("field", "value", "expectation"),
    [
        ("content_regions", (), "one or more numbers of at least 1"),
        ("content_regions", (12, "coarse"), "one or more numbers of at least 1"),
        ("drawing_ink", 1.5, "between 0 and 1"),
    ],
)
def test_impossible_values_are_named(field: str, value: object, expectation: str) -> None:
    with pytest.raises(ValueError, match=field) as raised:
        AddedFields(**{field: value})
    assert str(raised.value) == f"{field} is {value!r}, and must be {expectation}"


def test_whole_numbers_in_a_list_become_what_the_field_is() -> None:
    assert AddedFields(content_regions=[12, 60]).content_regions == (12.0, 60.0)
