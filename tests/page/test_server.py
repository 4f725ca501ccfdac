"""What the page's server gives to whom."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.page.conftest import PATIENCE, Server, free_port, serving
from tests.page.stand_ins import stand_in
from wbc_tf.page.limits import Limits
from wbc_tf.page.models import Offer
from wbc_tf.page.server import served


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_gives_no_file_but_those_whose_name_one_knows(address: str, root: Path) -> None:
    for path in ("/etc/passwd", str(root / "setup.py"), "setup.py", "/tmp", "http://example.com"):
        assert status_of(f"{address}gradio_api/file={path}") == 403, path


def test_nobody_is_offered_to_store_pictures_elsewhere(quick: Server) -> None:
    assert status_of(f"{quick.url}config") == 200
    assert status_of(f"{quick.url}gradio_api/runs") == 404


def test_the_browser_is_told_to_ask_no_other_server(address: str) -> None:
    with urllib.request.urlopen(address, timeout=120) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "googleapis" not in answer.read().decode()


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with serving("tests.page.serve", "--auth=ann:secret") as server:
        yield server.url


def test_without_the_password_nothing_is_served(guarded: str) -> None:
    for path in ("config", "gradio_api/file=/tmp", "gradio_api/info"):
        assert status_of(f"{guarded}{path}") in (401, 403), path


def test_a_login_is_refused_and_accepted(guarded: str, visit: Callable) -> None:
    page = visit(guarded).page
    for password in ("wrong", "secret"):
        page.locator("input").nth(0).fill("ann")
        page.locator("input").nth(1).fill(password)
        page.get_by_role("button", name="Login").click()
        if password == "wrong":
            expect(page.get_by_text("Incorrect")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#make-photo")).to_be_visible(timeout=PATIENCE)


def test_at_the_end_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    offers = {"a": Offer("a", stand_in())}
    site = "https://huggingface.co"
    with served(offers, Limits(), port=free_port(), embedded_by=site) as url:
        with urllib.request.urlopen(url, timeout=120) as answer:
            policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors {site}")
        assert [path.name[:9] for path in tmp_path.iterdir() if "wbc" in path.name] == ["wbc-page-"]
    assert list(tmp_path.iterdir()) == []
