from __future__ import annotations

from collections.abc import Callable

from wbc_tf import app


def test_a_page_for_other_machines_says_who_may_use_it(call: Callable) -> None:
    outcome = call(app, "--host=0.0.0.0")
    assert outcome.status == 2
    assert "--host=0.0.0.0: other machines could use the page" in outcome.err


def test_a_model_that_is_not_there_and_a_limit_of_nothing_are_usage_errors(call: Callable) -> None:
    assert "no model 'nowhere'" in call(app, "--model=nowhere").err
    outcome = call(app, "--max_photos=0")
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert "--max_photos=0: it must be above 0" in outcome.err


def test_each_limit_is_a_flag_with_its_default_in_help(call: Callable) -> None:
    help_text = call(app, "--help").out
    assert "--max_upload_mb=int" in help_text
    assert "Default: 100." in help_text
