"""README and docs name files and flags that exist."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from wbc_tf import (
    app,
    cartoonize,
    client,
    cluster,
    compare,
    convert,
    demo,
    evaluate,
    export,
    train,
)
from wbc_tf.methods.registry import METHODS

COMMANDS = (app, cartoonize, client, cluster, compare, convert, demo, evaluate, export, train)
#: Flags of other programs in the examples.
FOREIGN = {
    *("--generate", "--head", "--logdir", "--build", "--gpus", "--publish", "--rm", "--tag"),
    *("--repo", "--user", "--constraint", "--no"),  # the last is the beginning of --no-deps
}


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[Path, str]:
    """Every page for users."""
    paths = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return {path: path.read_text("utf-8") for path in paths}


def test_links_lead_to_files(pages: dict[Path, str]) -> None:
    broken = [
        f"{page.name}: {target}"
        for page, text in pages.items()
        for target in re.findall(r"\]\(([^)#]+)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_flags_are_those_of_the_commands(pages: dict[Path, str]) -> None:
    names = {name for command in COMMANDS for name in command.define_flags()}
    for spec in METHODS.values():
        names |= {field.name for field in dataclasses.fields(spec.config)}
    known = FOREIGN | {f"--{no}{name}" for name in names for no in ("", "no")}
    unknown = {
        f"{page.name}: {flag}"
        for page, text in pages.items()
        for flag in re.findall(r"(?<![\w-])--[a-z_]+", text)
        if flag not in known
    }
    assert unknown == set()


def test_the_readme_is_short(root: Path) -> None:
    assert len((root / "README.md").read_text("utf-8").splitlines()) <= 150
