from __future__ import annotations

from wbc_tf.evaluation.figures import Figure, as_record, table

FIGURES = [
    Figure("fid_x", "generated", "reference", 321.98765),
    Figure("kid_with_a_long_name", "photos", "reference", -0.0123456, (-0.02, 0.1)),
    Figure("flat", "generated", None, 0.5),
]


def test_a_table_is_aligned_and_hides_no_metric():
    assert table(FIGURES, {"content": "no photos"}).splitlines() == [
        "metric                of         to                value  95% interval",
        "fid_x                 generated  reference           322",
        "kid_with_a_long_name  photos     reference      -0.01235  -0.02 to 0.1",
        "flat                  generated                      0.5",
        "content                                     not measured",
    ]


def test_a_record_keeps_all_digits_and_leaves_out_what_is_not_there():
    assert as_record(FIGURES) == [
        {"metric": "fid_x", "of": "generated", "to": "reference", "value": 321.98765},
        {
            "metric": "kid_with_a_long_name",
            "of": "photos",
            "to": "reference",
            "value": -0.0123456,
            "interval": (-0.02, 0.1),
        },
        {"metric": "flat", "of": "generated", "value": 0.5},
    ]


def test_a_curves_name_says_what_it_compares_with():
    assert [figure.tag for figure in FIGURES] == [
        "fid_x_to_reference",
        "kid_with_a_long_name_to_reference",
        "flat",
    ]
