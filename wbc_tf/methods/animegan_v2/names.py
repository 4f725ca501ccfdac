"""The authors' TensorFlow 1 variable names and ours, side by side, for both generators."""

from __future__ import annotations

_ROOT = "generator/G_MODEL/"
_NORM = ("gamma", "beta")


def _numbered(name: str, number: int) -> str:
    """The slim library's name of the n-th layer of a kind, from 0 on: Conv, Conv_1, ..."""
    return f"{name}_{number}" if number else name


def _conv_norms(scope: str, ours: tuple[str, ...]) -> dict[str, str]:
    """Convolutions of a scope in their order, each with its norm."""
    table = {}
    for number, layer in enumerate(ours):
        conv, norm = _numbered("Conv", number), _numbered("LayerNorm", number)
        table[f"{scope}/{conv}/weights"] = f"{layer}/conv/kernel"
        table |= {f"{scope}/{norm}/{part}": f"{layer}/norm/{part}" for part in _NORM}
    return table


def _inverted_residual(number: int) -> dict[str, str]:
    theirs, ours = f"C/r{number}", f"c_residual_{number}"
    table = {
        f"{theirs}/Conv/weights": f"{ours}/expand/conv/kernel",
        f"{theirs}/r{number}/w": f"{ours}/depthwise/conv/depthwise_kernel",
        f"{theirs}/r{number}/bias": f"{ours}/depthwise/conv/bias",
        f"{theirs}/Conv_1/weights": f"{ours}/project/conv/kernel",
    }
    for norm, layer in (("LayerNorm", "expand"), ("1", "depthwise"), ("2", "project")):
        table |= {f"{theirs}/{norm}/{part}": f"{ours}/{layer}/norm/{part}" for part in _NORM}
    return table


def _full() -> dict[str, str]:
    table = {"out_layer/Conv/weights": "to_rgb/kernel"}
    for scope, layers in (
        ("A", ("a_1", "a_2", "a_3")),
        ("B", ("b_1", "b_2")),
        ("C", ("c_1", "c_2")),
        ("D", ("d_1", "d_2")),
        ("E", ("e_1", "e_2", "e_3")),
    ):
        table |= _conv_norms(scope, layers)
    for number in (1, 2, 3, 4):
        table |= _inverted_residual(number)
    return {f"{_ROOT}{theirs}": ours for theirs, ours in table.items()}


#: The U-net's convolutions in the order of their numbers. Those of the residual blocks stand
#: between; they count as convolutions, but their norms have names of their own.
_DOWN = (
    "stem",
    "down_half",
    "conv_half",
    "down_quarter",
    "conv_quarter",
    "down_eighth",
    "conv_eighth",
)
_UP = ("up_quarter", "merge_quarter", "up_half", "merge_half", "up_full", "merge_full")
_RESIDUALS = (1, 2, 3, 4)


def _lite() -> dict[str, str]:
    convolutions = [f"{layer}/conv" for layer in _DOWN]
    for number in _RESIDUALS:
        block = f"residual_{number}"
        convolutions += [f"{block}/squeeze/conv", f"{block}/conv/conv", f"{block}/restore"]
    convolutions += [f"{layer}/conv" for layer in _UP]
    norms = {_numbered("LayerNorm", n): layer for n, layer in enumerate((*_DOWN, *_UP))}
    for number in _RESIDUALS:
        norms[f"res{number}_1"] = f"residual_{number}/squeeze"
        norms[f"res{number}_2"] = f"residual_{number}/conv"
    table = {"out_layer/Conv/weights": "to_rgb/kernel"}
    for number, layer in enumerate(convolutions):
        table[f"{_numbered('Conv', number)}/weights"] = f"{layer}/kernel"
    for norm, layer in norms.items():
        table |= {f"{norm}/{part}": f"{layer}/norm/{part}" for part in _NORM}
    return {f"{_ROOT}{theirs}": ours for theirs, ours in table.items()}


#: network -> published variable name -> name of the variable in our generator
GENERATORS = {"full": _full(), "lite": _lite()}


def network_of(published: set[str]) -> str:
    """Which of the two generators has these variables, or is meant: that with more in common."""
    return max(GENERATORS, key=lambda network: len(GENERATORS[network].keys() & published))
