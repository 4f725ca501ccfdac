"""The models that a visitor may choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wbc_tf.artefact.model_directory import (
    MODEL_FOLDERS,
    ModelNotFoundError,
    find_model,
    model_name,
)
from wbc_tf.page.refusal import Refusal

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


@dataclass(frozen=True)
class Offer:
    """A model as the page shows it.

    Attributes:
      name: by which it is chosen.
      cartoonizer: the loaded model.
    """

    name: str
    cartoonizer: Cartoonizer

    @property
    def label(self) -> str:
        """Name and method, for people."""
        method = str(self.cartoonizer.metadata["method"]).replace("_", " ")
        name = self.name.replace("_", " ")
        return name if name == method else f"{name} ({method})"

    @property
    def licence(self) -> str:
        """What may be done with its results, as the model states it."""
        return str(self.cartoonizer.metadata["licence"])

    @property
    def has_delta(self) -> bool:
        """Whether the guided filter's share can be chosen."""
        return "delta" in self.cartoonizer.metadata

    @property
    def has_brightness(self) -> bool:
        """Whether the model's method matches the brightness of photo and cartoon."""
        return "match_brightness" in self.cartoonizer.metadata


def load_offers(models: Iterable[str]) -> dict[str, Offer]:
    """Loads models by path or name, and those in ``pretrained_models/`` after them.

    Returns:
      The offers by name, in that order. The first is the page's default.

    Raises:
      ModelNotFoundError: no such model.
    """
    from wbc_tf.inference.cartoonizer import Cartoonizer

    offers: dict[str, Offer] = {}
    for model in _each_once(models):
        name = model.stem if model.is_file() else model_name(model)
        while name in offers:  # two folders of one name
            name = f"{name}, another"
        offers[name] = Offer(name, Cartoonizer.load(model))
    if not offers:
        raise ModelNotFoundError("there is no model in pretrained_models/; name one by --model")
    return offers


def offer_of(offers: Mapping[str, Offer], name: str) -> Offer:
    """An offer by its name.

    Raises:
      Refusal: no such offer.
    """
    if name not in offers:
        raise Refusal(f"There is no model '{name}' here. Choose one of: {', '.join(offers)}.")
    return offers[name]


def _each_once(models: Iterable[str]) -> list[Path]:
    files = [Path(model) if Path(model).is_file() else find_model(model) for model in models]
    for folder in MODEL_FOLDERS:
        if folder.is_dir():
            files += [find_model(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    return list(dict.fromkeys(file.resolve() for file in files))
