"""Imports point one way, downward, so that each part can be read, tested and replaced alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

#: What may import what: a unit imports itself and units of a *lower* number, never its neighbours.
#: A unit is a module or a package with all that is in it; each method is one of its own.
LEVELS = {
    "wbc_tf.files": 0,
    "wbc_tf.images": 0,
    "wbc_tf.version": 0,
    "wbc_tf.artefact": 1,
    "wbc_tf.layers": 1,
    "wbc_tf.ops": 1,
    "wbc_tf.video": 1,
    "wbc_tf.comparison": 2,
    "wbc_tf.losses": 2,
    "wbc_tf.data": 2,
    "wbc_tf.training": 3,
    "wbc_tf.inference": 3,
    "wbc_tf.additions": 4,
    "wbc_tf.distributed": 4,
    "wbc_tf.evaluation": 4,
    "wbc_tf.page": 4,
    "wbc_tf.serving": 4,
    "wbc_tf.cli": 5,
    "wbc_tf.methods.*": 5,
    "wbc_tf.methods.registry": 6,
    "wbc_tf.methods.runs": 7,
    "wbc_tf.methods.exporting": 8,
    "wbc_tf.methods.train_run": 8,
    # Commands, and the library's front door, which nothing inside goes through.
    "wbc_tf": 9,
    "wbc_tf.app": 9,
    "wbc_tf.cartoonize": 9,
    "wbc_tf.client": 9,
    "wbc_tf.cluster": 9,
    "wbc_tf.compare": 9,
    "wbc_tf.convert": 9,
    "wbc_tf.demo": 9,
    "wbc_tf.evaluate": 9,
    "wbc_tf.export": 9,
    "wbc_tf.train": 9,
    "root scripts": 10,
}


def _unit(module: str) -> str:
    """The unit a module belongs to; a method's own name in place of the star."""
    parts = module.split(".")
    if parts[0] != "wbc_tf":
        return "root scripts"
    return ".".join(parts[:3] if parts[1:2] == ["methods"] else parts[:2])


def _level(unit: str) -> int | None:
    if unit == "wbc_tf.methods" or unit.startswith("wbc_tf.methods."):
        return LEVELS.get(unit, LEVELS["wbc_tf.methods.*"])
    return LEVELS.get(unit)


def _imports(module: str, source: str, modules: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """(line, imported module of ours) for every import, those inside functions as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{module}:{node.lineno}: write imports out from wbc_tf on")
            # `from wbc_tf import images` is the module images, `from wbc_tf import Cartoonizer` is
            # the front door.
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else str(node.module) for name in inner]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "wbc_tf":
                yield node.lineno, name


def _violations(modules: Mapping[str, str]) -> list[str]:
    """Every arrow that does not point down, as ``module:line imports module``."""
    found = []
    for module, source in modules.items():
        for line, imported in _imports(module, source, modules):
            above, below = _unit(module), _unit(imported)
            upper, lower = _level(above), _level(below)
            if above != below and (upper is None or lower is None or lower >= upper):
                found.append(f"{module}:{line} imports {imported}")
    return found


@pytest.fixture(scope="module")
def modules(root: Path) -> dict[str, str]:
    """Dotted name -> source of all our modules and root scripts."""
    paths = [*(root / "wbc_tf").rglob("*.py"), *root.glob("*.py")]
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).replace(".__init__", ""): (
            path.read_text("utf-8")
        )
        for path in sorted(paths)
    }


def test_all_imports_point_down(modules: dict[str, str]) -> None:
    assert _violations(modules) == []


def test_every_module_has_its_place(modules: dict[str, str]) -> None:
    assert [module for module in modules if _level(_unit(module)) is None] == []


def test_modules_were_read_at_all(modules: dict[str, str]) -> None:
    assert {"wbc_tf", "wbc_tf.images", "wbc_tf.methods.white_box.generator", "train"} <= set(
        modules
    )
    arrows = [arrow for name in modules for arrow in _imports(name, modules[name], modules)]
    assert len(arrows) > 50


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("wbc_tf.images", "from wbc_tf.ops.pool import shared_pool"),
        ("wbc_tf.ops.pool", "import wbc_tf.layers.resize"),
        ("wbc_tf.layers.resize", "from wbc_tf import losses"),
        ("wbc_tf.inference.jobs", "def f():\n    from wbc_tf.methods.white_box import serving"),
        ("wbc_tf.training.loop", "if TYPE_CHECKING:\n    from wbc_tf.inference import folder"),
        ("wbc_tf.methods.one.method", "from wbc_tf.methods.two.method import build"),
        ("wbc_tf.methods.one.method", "from wbc_tf.methods import registry"),
        ("wbc_tf.inference.jobs", "from wbc_tf import Cartoonizer"),
        ("wbc_tf.ops.pool", "from wbc_tf.newcomer import anything"),
        ("wbc_tf.demo", "from wbc_tf.convert import download"),
    ],
)
def test_an_arrow_that_points_up_or_sideways_is_seen(module: str, statement: str) -> None:
    known = ("wbc_tf.losses", "wbc_tf.methods.registry")
    modules = {name: "" for name in known} | {module: statement}
    assert len(_violations(modules)) == 1


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("wbc_tf.ops.pool", "from wbc_tf.images import to_float"),
        ("wbc_tf.ops.pool", "from wbc_tf.ops.coloring import region_means"),
        ("wbc_tf.methods.one.method", "from wbc_tf.methods.one.generator import Generator"),
        ("wbc_tf.methods.registry", "from wbc_tf.methods.one import method"),
        ("wbc_tf.inference.jobs", "import numpy as np"),
        ("train", "from wbc_tf.train import run"),
    ],
)
def test_an_arrow_that_points_down_is_not(module: str, statement: str) -> None:
    assert _violations({module: statement}) == []
