from __future__ import annotations

from pathlib import Path

from wbc_tf.page.refusal import Refusal, without_folders


def test_a_message_shows_no_path_of_the_server() -> None:
    message = str(Refusal("/private/abc/cat.png: truncated"))
    assert without_folders(message, Path("/private/abc/cat.png")) == "cat.png: truncated"
