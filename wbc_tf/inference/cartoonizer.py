"""From an exported model to a callable on uint8 pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from wbc_tf.artefact.exported import WHOLE
from wbc_tf.artefact.model_directory import MODEL_FOLDERS, find_model
from wbc_tf.files import PathLike
from wbc_tf.images import reduce_to_short_side, to_float
from wbc_tf.inference import brightness
from wbc_tf.inference.engines import Coefficients, is_onnx, load_engine
from wbc_tf.inference.full_size import apply_coefficients
from wbc_tf.inference.tiling import Tile, plan_tiles, smallest_tile

#: What comes back: the photo's own size, or the size the network worked at.
OUTPUT_SIZES = ("input", "working")
#: Megabytes for the network's own work: two pictures of 1280 x 720 at once.
MEMORY_BUDGET = 1024
#: Strengths that may be asked for: 0 is the photo, 1 the cartoon.
STRENGTHS = (0.0, 1.5)
#: Working resolution of models that were exported before they stated their own.
_SHORT_SIDE = 720


class MemoryBudgetError(ValueError):
    """A picture that does not fit into the memory budget; the message says what helps."""


class Cartoonizer:
    """Turns photos into cartoons: ``Cartoonizer.load("white_box")(image)``.

    It knows an exported model and nothing of the method that made it: the model's ``coefficients``
    signature gives, for a photo, the scale and offset of ``cartoon = scale * photo + offset``.

    A picture too large for the memory budget is computed tile by tile, to the same result. The
    budget counts the network's work, as pixels at once times the model's own "bytes_per_pixel". On
    top come the program (about 0.5 GB), the photo and the cartoon (6 bytes a pixel), and for a
    picture that is worked on at a reduced size its coefficients (24 bytes a reduced pixel).

    A model whose network sees the whole picture (instance or layer norm) cannot be tiled: a larger
    picture than fits is then an error, and a smaller working resolution helps.

    It can be pickled: the copy loads the same model again. It cannot be used in a forked process;
    start processes by the method "spawn".
    """

    def __init__(
        self,
        coefficients: Coefficients,
        *,
        metadata: dict[str, Any],
        memory_budget: int = MEMORY_BUDGET,
    ) -> None:
        self._coefficients = coefficients
        #: What the model says of itself: method, licence, origin.
        self.metadata = metadata
        self._memory_budget = memory_budget
        self._load_again: Callable[[], Cartoonizer] | None = None
        #: Working resolution in pixels, where a call names none.
        self.short_side: int = metadata.get("short_side", _SHORT_SIDE)
        #: Share of the guided filter, where a call names none.
        self.delta: float = metadata.get("delta", 1.0)
        #: Whether results are made as bright as their photos, where a call does not say.
        self.match_brightness: bool = metadata.get("match_brightness", False)
        # Models of an earlier version of this project have neither setting in their graph.
        self._adjustable = "delta" in metadata
        self._reach = _reach(metadata)
        self._bytes_per_pixel: int = metadata.get("bytes_per_pixel", 0)
        if isinstance(self._reach, dict) and self._bytes_per_pixel:
            least = smallest_tile(halo=self._reach["halo"], size_multiple=self._reach["grid"])
            if self._pixels < least:
                needed = -(-least * self._bytes_per_pixel // 2**20)
                raise MemoryBudgetError(
                    f"a memory budget of {memory_budget} MB is too small for this model; it takes "
                    f"at least {needed} MB"
                )

    @property
    def _pixels(self) -> int:
        """How many pixels the network may work on at once."""
        if not self._bytes_per_pixel:
            return 2**62
        return int(self._memory_budget * 2**20 // self._bytes_per_pixel)

    @classmethod
    def load(
        cls,
        model: PathLike = "white_box",
        *,
        precision: str = "float32",
        memory_budget: int = MEMORY_BUDGET,
    ) -> Cartoonizer:
        """Loads a model directory, an .onnx file, or an embedded model by its name.

        Args:
          model: path or name. An .onnx file needs ONNX Runtime and no TensorFlow.
          precision: of the network, one of `wbc_tf.inference.precision.PRECISIONS`; "auto" takes
            the fastest that the hardware has. The guided filter is always in float32.
          memory_budget: in megabytes, for the network's own work.

        Raises:
          ModelNotFoundError: no such model, or one that cannot be run here.
          PrecisionError: a precision that this machine does not have.
          MemoryBudgetError: a budget too small for any tile.
        """
        coefficients, metadata = load_engine(model, precision=precision)
        cartoonizer = cls(coefficients, metadata=metadata, memory_budget=memory_budget)
        cartoonizer._load_again = partial(
            cls.load, _from_anywhere(model), precision=precision, memory_budget=memory_budget
        )
        return cartoonizer

    def __reduce__(self) -> tuple[Callable[[], Cartoonizer], tuple[()]]:
        """Pickles what `load` was given, not the network.

        Raises:
          TypeError: it was not made by `load`.
        """
        if self._load_again is None:
            raise TypeError("only a Cartoonizer that Cartoonizer.load has made can be pickled")
        return self._load_again, ()

    def __call__(
        self,
        images: np.ndarray,
        *,
        short_side: int | None = None,
        output_size: str = "input",
        strength: float = 1.0,
        delta: float | None = None,
        match_brightness: bool | None = None,
    ) -> np.ndarray:
        """Cartoonizes one picture or a batch of equally large ones.

        Args:
          images: uint8 RGB, [H, W, 3] or [N, H, W, 3].
          short_side: working resolution in pixels; larger pictures are reduced to it first. None
            takes the model's own, 0 works at the pictures' own size.
          output_size: "input" brings the result back to the pictures' own size: scale and offset
            are computed at working resolution, enlarged, and applied to the full picture. What they
            take from the photo is as sharp as the photo; the part that is no function of the photo
            (all of it at delta 0) is only enlarged. "working" returns what the network drew.
          strength: 0 is the photo, 1 the cartoon, up to 1.5 goes beyond it.
          delta: share of the guided filter in the result, 0 to 1; less is sharper (white-box paper,
            equation 9). None takes the model's own.
          match_brightness: make each result as bright as its photo, see
            `wbc_tf.inference.brightness`. None takes the model's own.

        Returns:
          uint8 RGB of the same rank; of the same size unless `output_size` is "working".

        Raises:
          ValueError: pictures of another type or shape, or a setting outside its range.
          MemoryBudgetError: the model cannot be tiled and the picture does not fit.
          NetworkError: the network could not be run.
        """
        short_side = self.short_side if short_side is None else short_side
        delta = self.delta if delta is None else delta
        self._refuse_settings(short_side, output_size, strength, delta)
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or images.shape[-1] != 3:
            raise ValueError(
                "expected uint8 RGB [H, W, 3] or [N, H, W, 3], got "
                f"{images.dtype} {list(images.shape)}"
            )
        if 0 in images.shape:
            raise ValueError(f"a picture without pixels: {list(images.shape)}")
        batch = images if images.ndim == 4 else images[None]
        working = _reduced(batch, short_side)
        targets = batch if output_size == "input" else working
        cartoons = self._cartoons(working, targets, _Adjustments(float(strength), float(delta)))
        if self.match_brightness if match_brightness is None else match_brightness:
            for n, photo in enumerate(batch):
                cartoons[n] = brightness.match_brightness(cartoons[n], photo)
        return cartoons if images.ndim == 4 else cartoons[0]

    def _refuse_settings(
        self, short_side: Any, output_size: str, strength: float, delta: float
    ) -> None:
        if output_size not in OUTPUT_SIZES:
            raise ValueError(f"output_size is one of {OUTPUT_SIZES}, not {output_size!r}")
        if not isinstance(short_side, (int, np.integer)) or short_side < 0:
            raise ValueError(f"short_side is a whole number of pixels, 0 or more, not {short_side}")
        if not STRENGTHS[0] <= strength <= STRENGTHS[1]:
            raise ValueError(f"strength is between 0 and 1.5, not {strength}")
        if not 0 <= delta <= 1:
            raise ValueError(f"delta is between 0 and 1, not {delta}")
        if delta != 1 and not self._adjustable:
            raise ValueError(
                "delta: this model was exported by an earlier version and always applies the whole "
                "guided filter; export or convert it again"
            )

    def _cartoons(
        self, working: np.ndarray, targets: np.ndarray, adjustments: _Adjustments
    ) -> np.ndarray:
        """The network's model of `working`, applied to `targets`: [N, h, w, 3] to [N, H, W, 3]."""
        height, width = working.shape[1:3]
        tiles, at_once = self._plan(len(working), height, width)
        cartoons = np.empty_like(targets)
        for first in range(0, len(working), at_once):
            group = slice(first, first + at_once)
            self._fill(working[group], targets[group], tiles, adjustments, out=cartoons[group])
        return cartoons

    def _fill(
        self,
        working: np.ndarray,
        targets: np.ndarray,
        tiles: list[Tile],
        adjustments: _Adjustments,
        *,
        out: np.ndarray,
    ) -> None:
        """Fills `out`, as large as `targets`."""
        if working.shape == targets.shape:
            # Finished tile by tile: the float maps of the whole would take eight photos' memory.
            for tile in tiles:
                rows, columns = tile.keep
                for n, (scale, offset) in enumerate(zip(*self._maps(working, tile, adjustments))):
                    part = targets[n, rows, columns]
                    out[n, rows, columns] = apply_coefficients(part, scale, offset)
            return
        maps = np.empty((2, *working.shape), np.float32)
        for tile in tiles:
            rows, columns = tile.keep
            maps[:, :, rows, columns] = self._maps(working, tile, adjustments)
        for n, (scale, offset) in enumerate(zip(*maps)):
            out[n] = apply_coefficients(targets[n], scale, offset)

    def _plan(self, number: int, height: int, width: int) -> tuple[list[Tile], int]:
        """The tiles of each picture, and how many pictures to work on at once."""
        pixels = self._pixels
        if isinstance(self._reach, dict):
            tiles = plan_tiles(
                height,
                width,
                halo=self._reach["halo"],
                size_multiple=self._reach["grid"],
                pixels=pixels,
            )
            return tiles, max(1, pixels // (height * width))
        if height * width > pixels:
            needed = -(-height * width * self._bytes_per_pixel // 2**20)
            raise MemoryBudgetError(
                f"{width} x {height} pixels take {needed} MB at once, above the memory budget of "
                f"{self._memory_budget} MB, and this model cannot be tiled: its network sees the "
                "whole picture. Choose a smaller --short_side, or raise --memory_budget"
            )
        whole = (slice(0, height), slice(0, width))
        return [Tile(read=whole, keep=whole)], max(1, pixels // (height * width))

    def _maps(
        self, pictures: np.ndarray, tile: Tile, adjustments: _Adjustments
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scale and offset of `tile.keep` in every picture: float32 [N, h, w, 3] each."""
        rows, columns = tile.read
        photo = to_float(pictures[:, rows, columns])
        rows, columns = tile.inner
        if self._adjustable:
            model = self._coefficients(photo=photo, **vars(adjustments))
        else:
            model = self._coefficients(photo=photo)
        scale, offset = (np.asarray(model[n])[:, rows, columns] for n in ("scale", "offset"))
        if not self._adjustable and adjustments.strength != 1:
            strength = np.float32(adjustments.strength)
            return strength * scale + (1 - strength), strength * offset
        return scale, offset


@dataclass(frozen=True)
class _Adjustments:
    strength: float
    delta: float


def _from_anywhere(model: PathLike) -> str:
    """The same model for a process in another folder: its absolute path, or an embedded name."""
    if is_onnx(model):
        return str(Path(model).absolute())
    version = find_model(model)
    if version.parent.parent in MODEL_FOLDERS:
        return os.fspath(model)
    return str(version.absolute())


def _reach(metadata: dict[str, Any]) -> Any:
    """Halo and grid of a model that can be tiled, in pixels; else `WHOLE`."""
    if "reach" in metadata:
        return metadata["reach"]
    if {"halo", "size_multiple"} <= metadata.keys():  # as earlier versions wrote it
        return {"halo": metadata["halo"], "grid": metadata["size_multiple"]}
    return WHOLE


def _reduced(batch: np.ndarray, short_side: int) -> np.ndarray:
    """The batch at working resolution; itself, and no copy, where that is its own."""
    first = reduce_to_short_side(batch[0], short_side)
    if first.shape == batch[0].shape:
        return batch
    return np.stack([first, *(reduce_to_short_side(image, short_side) for image in batch[1:])])
