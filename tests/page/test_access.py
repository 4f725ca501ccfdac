from __future__ import annotations

from pathlib import Path

import pytest

from wbc_tf.page.access import is_loopback, users


def test_only_this_machine_reaches_a_loopback_address() -> None:
    hosts = ("127.0.0.1", "127.1.2.3", "::1", "localhost", "0.0.0.0", "::", "192.168.1.2", "me")
    assert [is_loopback(host) for host in hosts] == [True] * 4 + [False] * 4


def test_other_machines_need_a_password_or_the_users_word(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--host=0\.0\.0\.0: other machines could use the page"):
        users("0.0.0.0", auth=None, auth_file=None, public=False)
    assert users("0.0.0.0", auth=None, auth_file=None, public=True) == []
    assert users("127.0.0.1", auth=None, auth_file=None, public=False) == []
    file = tmp_path / "users"
    file.write_text("eve:a:b\n\n  tom:c\n", "utf-8")
    found = users("0.0.0.0", auth="ann:d", auth_file=str(file), public=False)
    assert found == [("ann", "d"), ("eve", "a:b"), ("tom", "c")]


def test_what_is_no_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must look like user:password") as error:
        users("127.0.0.1", auth="secret", auth_file=None, public=False)
    assert "secret" not in str(error.value)
    file = tmp_path / "users"
    file.touch()
    with pytest.raises(ValueError, match="no line user:password in it"):
        users("127.0.0.1", auth=None, auth_file=str(file), public=False)
    with pytest.raises(ValueError, match="give one"):
        users("127.0.0.1", auth="a:b", auth_file=None, public=True)
