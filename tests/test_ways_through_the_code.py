"""The lists of functions in CONTRIBUTING.md name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

#: What a method brings, and names that are in no module of ours.
ELSEWHERE = {"coefficients", "build", "adversarial_step", "objective", "--resume"}


def _names_in(module: Path) -> set[str]:
    """Functions, classes, and ``Class.member`` of a module."""
    names = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    names.add(f"{node.name}.{member.name}")
                elif isinstance(member, ast.AnnAssign):
                    names.add(f"{node.name}.{ast.unparse(member.target)}")
    return names


def _missing(text: str, package: Path) -> list[str]:
    """Names in backticks that are not in the module before them, or in their own."""
    missing, module = [], None
    for name in re.findall(r"`([^`]+)`", text):
        if name in ELSEWHERE:
            continue
        parts = name.split(".")
        for count in range(len(parts) - 1, 0, -1):
            file = package.joinpath(*parts[:count]).with_suffix(".py")
            if file.is_file():
                module, parts = file, parts[count:]
                break
        if module is None or ".".join(parts) not in _names_in(module):
            missing.append(name)
    return missing


def test_each_function_is_where_the_list_says(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    ways = text.partition("## Ways through the code")[2]
    assert len(re.findall(r"`([^`]+)`", ways)) > 40
    assert _missing(ways, root / "wbc_tf") == []


def test_a_name_that_is_gone_is_seen(root: Path) -> None:
    text = "`files.whole.write_whole`, `whole_file`, `read_half`; `images.gone`, `nobody.there`"
    assert _missing(text, root / "wbc_tf") == ["read_half", "images.gone", "nobody.there"]
