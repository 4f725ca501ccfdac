"""What is left untested is left out on purpose: by name, with a reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

#: Module -> why it has no test file of its own. An entry that is no longer true fails too.
WITHOUT_TESTS = {
    "wbc_tf/methods/white_box/names.py": "a table, see tests/methods/white_box/test_convert.py",
}

#: Packages whose every public name the mirrored test file must use: itself, or a public table that
#: holds it.
BY_NAME = ("wbc_tf/layers", "wbc_tf/losses", "wbc_tf/methods")


def _modules(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix()
        for path in (root / "wbc_tf").rglob("*.py")
        if path.name != "__init__.py"
    )


def _test_of(root: Path, module: str) -> Path:
    """wbc_tf/a/b.py -> tests/a/test_b.py."""
    path = Path(module).relative_to("wbc_tf")
    return root / "tests" / path.parent / f"test_{path.name}"


def _public_names(source: str) -> list[str]:
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]


def _names_used(tree: ast.AST) -> set[str]:
    """All identifiers in it; what only a comment or a string mentions does not count."""
    nodes = list(ast.walk(tree))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def _untested_names(source: str, test: str) -> list[str]:
    """Public functions and classes of a module that a test of it does not use."""
    used = _names_used(ast.parse(test))
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and used & {ast.unparse(target) for target in node.targets}:
            used |= _names_used(node.value)
    return [name for name in _public_names(source) if name not in used]


def test_every_module_has_its_test_file(root: Path) -> None:
    missing = [
        module
        for module in _modules(root)
        if module not in WITHOUT_TESTS and not _test_of(root, module).is_file()
    ]
    assert missing == [], "write their tests, or state in WITHOUT_TESTS why not"


def test_the_exceptions_are_still_needed(root: Path) -> None:
    assert set(WITHOUT_TESTS) <= set(_modules(root)), "a module that is gone"
    assert [m for m in WITHOUT_TESTS if _test_of(root, m).is_file()] == [], "a module with tests"


def test_every_test_file_contains_a_test(root: Path) -> None:
    empty = [
        path.relative_to(root).as_posix()
        for path in (root / "tests").rglob("test_*.py")
        if not any(name.startswith("test_") for name in _public_names(path.read_text("utf-8")))
    ]
    assert empty == []


@pytest.mark.parametrize("package", BY_NAME)
def test_every_layer_loss_and_part_of_a_method_is_tested_by_name(root: Path, package: str) -> None:
    untested = [
        f"{module}: {name}"
        for module in _modules(root)
        if module.startswith(f"{package}/") and _test_of(root, module).is_file()
        for name in _untested_names(
            (root / module).read_text("utf-8"), _test_of(root, module).read_text("utf-8")
        )
    ]
    assert untested == []


def test_a_name_counts_when_it_is_used_itself_or_through_a_table() -> None:
    module = "def a(): ...\ndef b(): ...\ndef c(): ...\ndef _d(): ...\nTABLE = {'b': b}\n"
    assert _untested_names(module, "# a\nx = 'a'") == ["a", "b", "c"]
    assert _untested_names(module, "a()\nmodule.TABLE['b']()") == ["c"]


def _strings_used(source: str) -> set[str]:
    """All string values in the code. Comments and docstrings do not count."""
    nodes = list(ast.walk(ast.parse(source)))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    }


def test_a_string_counts_when_the_code_uses_it() -> None:
    source = '"""a.cfg"""\n# b.cfg\ndef f(name="c.cfg"):\n    "d.cfg"\n    return "e.cfg"\n'
    assert _strings_used(source) == {"c.cfg", "e.cfg"}


def test_every_preset_is_used_in_a_test(root: Path) -> None:
    used = set().union(
        *(_strings_used(path.read_text("utf-8")) for path in (root / "tests").rglob("test_*.py"))
    )
    presets = {path.name for path in (root / "configs").glob("*.cfg")}
    assert presets - used == set()
