"""THE place for range, channel order and dtype; every other file only cites it.

On disk and at the library's doors pictures are uint8 RGB in [0, 255]. Inside they are float32 RGB
in [-1, 1], height x width x channels, batch first (NHWC). Reading and writing go through Pillow, so
that EXIF orientation, palettes, alpha and 16-bit greys come out right; resampling is OpenCV's.

TensorFlow is imported inside the functions that speak tensors: reading a picture must not wait
seconds for it.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    import tensorflow as tf

PathLike = Union[str, "os.PathLike[str]"]

#: What a folder is searched for. A file named outright is tried whatever it is called.
EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")

#: Formats we write, as Pillow names them, and the extension each gets.
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}
_KEEPS_ALPHA = ("PNG", "WEBP", "TIFF")


class ImageReadError(ValueError):
    """A file that is no readable picture; the message names it and says why."""


@dataclass(frozen=True)
class Photo:
    """A picture as it came from disk, upright.

    Attributes:
      rgb: uint8 [H, W, 3].
      alpha: uint8 [H, W], or None where the file has no transparency.
      format: Pillow's name of the file's format, such as "JPEG".
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    format: str


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Float [-1, 1] -> uint8 [0, 255], rounded to nearest; what lies outside is clipped.

    The authors truncate instead, which darkens every picture by half a grey level.
    """
    levels = (images.astype(np.float32) + np.float32(1)) * np.float32(127.5)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def tensor_to_float(images: tf.Tensor) -> tf.Tensor:
    """`to_float` on tensors: uint8 [0, 255] -> float32 [-1, 1]."""
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 127.5 - 1.0


def tensor_to_uint8(images: tf.Tensor) -> tf.Tensor:
    """`to_uint8` on tensors: float [-1, 1] -> uint8 [0, 255], rounded to nearest and clipped."""
    import tensorflow as tf

    levels = (tf.cast(images, tf.float32) + 1.0) * 127.5
    return tf.cast(tf.clip_by_value(tf.round(levels), 0.0, 255.0), tf.uint8)


def read_photo(path: PathLike) -> Photo:
    """Reads a picture, turned upright by its EXIF orientation.

    Grey, palette and CMYK become RGB; 16 bits become 8; of an animation the first frame is read.

    Raises:
      ImageReadError: no file, no picture, or a broken one.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return _decode(stream, name=str(path))
    except FileNotFoundError as error:
        raise ImageReadError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise ImageReadError(f"{path}: this is a folder, not a picture") from error
    except OSError as error:
        raise ImageReadError(f"{path}: cannot be read ({error})") from error


def decode_photo(data: bytes, *, name: str) -> Photo:
    """`read_photo` of a file's content; `name` is what an error calls it."""
    return _decode(io.BytesIO(data), name=name)


def _decode(stream: BinaryIO, *, name: str) -> Photo:
    try:
        with Image.open(stream) as opened:
            file_format = opened.format or ""
            upright = ImageOps.exif_transpose(opened)
            has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            if upright.mode.startswith("I"):  # 16-bit grey; Pillow would clip it at 255
                levels = np.asarray(upright, dtype=np.float64) * (255 / 65535)
                upright = Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
            alpha = np.array(upright.convert("RGBA"))[..., 3] if has_alpha else None
            rgb = np.array(upright.convert("RGB"))
    except UnidentifiedImageError as error:
        empty = stream.seek(0, os.SEEK_END) == 0
        kind = "an empty file" if empty else "not a picture that Pillow can read"
        raise ImageReadError(f"{name}: {kind}") from error
    except Image.DecompressionBombError as error:
        raise ImageReadError(f"{name}: too many pixels to be read safely ({error})") from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's decoders raise
        raise ImageReadError(f"{name}: broken or cut off ({error})") from error
    return Photo(rgb=rgb, alpha=alpha, format=file_format)


def read_rgb(path: PathLike) -> np.ndarray:
    """The uint8 [H, W, 3] RGB of `read_photo`, which see."""
    return read_photo(path).rgb


def write_image(
    path: PathLike,
    rgb: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    file_format: str | None = None,
    quality: int = 95,
) -> None:
    """Writes a picture, whole or not at all (see `write_whole`).

    Args:
      path: where to; an existing file is replaced.
      rgb: uint8 [H, W, 3].
      alpha: see `encode_image`.
      file_format: a key of `FORMATS`; by the extension when None.
      quality: of JPEG and WebP, 1 to 100.

    Raises:
      ValueError: a format that we do not write.
      OSError: the disk or the folder refuses.
    """
    file_format = file_format or format_of(path)
    data = encode_image(rgb, alpha=alpha, file_format=file_format, quality=quality)
    write_whole(path, data)


def encode_image(
    rgb: np.ndarray, *, alpha: np.ndarray | None = None, file_format: str, quality: int = 95
) -> bytes:
    """A picture as the content of a file.

    Args:
      rgb: uint8 [H, W, 3].
      alpha: uint8 [H, W]; laid over white where the format has no transparency.
      file_format: a key of `FORMATS`.
      quality: of JPEG and WebP, 1 to 100.
    """
    if alpha is None:
        picture = Image.fromarray(rgb)
    else:
        picture = Image.fromarray(np.dstack([rgb, alpha]))
        if file_format not in _KEEPS_ALPHA:
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture).convert("RGB")
    options: dict[str, Any] = {}
    if file_format in ("JPEG", "WEBP"):
        options["quality"] = quality
    if file_format == "JPEG":
        options["subsampling"] = 0 if quality >= 90 else 2  # chroma blocks show on flat colours
    content = io.BytesIO()
    picture.save(content, format=file_format, **options)
    return content.getvalue()


def write_whole(path: PathLike, data: bytes) -> None:
    """Writes a file whole or not at all: a temporary one beside it, synced, then renamed."""
    path = Path(path)
    # The name is short and its own, so that a name at the file system's limit still fits.
    handle, temporary = tempfile.mkstemp(prefix=".wbc-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files private
        os.replace(temporary, path)
    except BaseException:  # Ctrl-C as well must leave nothing behind
        os.unlink(temporary)
        raise


def _umask() -> int:
    # The only portable way to read it is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def format_of(path: PathLike) -> str:
    """The `FORMATS` key that a file's extension asks for.

    Raises:
      ValueError: the extension is none that we write.
    """
    suffix = Path(path).suffix.lower()
    for name, extension in {**FORMATS, "JPEG ": ".jpeg", "TIFF ": ".tiff"}.items():
        if suffix == extension:
            return name.strip()
    known = ", ".join(sorted(FORMATS.values()))
    raise ValueError(f"{path}: cannot write '{suffix}'; choose one of {known}")


def find_images(folder: PathLike, *, recursive: bool = True) -> Iterator[Path]:
    """The picture files below a folder by extension, sorted, hidden ones left out; streamed.

    Raises:
      NotADirectoryError: `folder` is no folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: there is no such folder")
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if recursive:
                yield from find_images(path)
        elif path.suffix.lower() in EXTENSIONS:
            yield path


def reduce_to_short_side(rgb: np.ndarray, short_side: int) -> np.ndarray:
    """Shrinks a picture by area averaging until its short side is `short_side`, never enlarges.

    The long side is cut to whole pixels as the authors do it (truncated, not rounded).

    Args:
      rgb: uint8 [H, W, 3].
      short_side: in pixels; 0 keeps the size.
    """
    height, width = rgb.shape[:2]
    if short_side == 0 or min(height, width) <= short_side:
        return rgb
    if height > width:
        height, width = int(short_side * height / width), short_side
    else:
        height, width = short_side, int(short_side * width / height)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def pad_to_multiple(images: tf.Tensor, multiple: int) -> tf.Tensor:
    """Reflects the right and bottom border until both sides are multiples of `multiple`.

    The picture stays at the top left, so that `crop_to` with the old size is the inverse, and so
    that the stride-2 convolutions see the very pixels they would see without padding. Works down to
    a single pixel, which ``tf.pad`` does not.

    Args:
      images: [N, H, W, C], H and W at least 1.
    """
    import tensorflow as tf

    for axis in (1, 2):
        size = tf.shape(images)[axis]
        padded = -(-size // multiple) * multiple
        period = tf.maximum(2 * (size - 1), 1)
        position = tf.range(padded) % period
        images = tf.gather(images, tf.minimum(position, period - position), axis=axis)
    return images


def crop_to(images: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Undoes `pad_to_multiple`: the top-left part of `images` that has the size of `like`."""
    import tensorflow as tf

    shape = tf.shape(like)
    return images[:, : shape[1], : shape[2]]
