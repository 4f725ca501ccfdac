"""Reading and writing pictures: uint8 RGB, upright and in sRGB.

Reading and writing go through Pillow, so that EXIF orientation, palettes, alpha and 16-bit greys
come out right, and colours by the file's profile (see `wbc_tf.files.metadata`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import struct
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from wbc_tf.files import PathLike
from wbc_tf.files.animation import Animation, Frame, FrameSequence, animation_of
from wbc_tf.files.apng import encode_apng
from wbc_tf.files.decoder_messages import collected_messages
from wbc_tf.files.formats import format_of
from wbc_tf.files.gif import encode_gif, palette_picture
from wbc_tf.files.metadata import (
    NO_METADATA,
    ORIENTATION,
    Metadata,
    read_metadata,
    save_options,
    to_srgb,
)
from wbc_tf.files.whole import write_whole

_KEEPS_ALPHA = ("PNG", "WEBP", "TIFF", "GIF")

#: Formats that can hold an animation.
ANIMATED = ("PNG", "WEBP", "GIF")

#: Formats we read, as Pillow names them. Its other decoders are not reached, whatever a file holds.
READ_FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "PPM", "TGA", "JPEG2000", "ICO"),
)

# A decoder that is fed garbage fails in many ways.
_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError),
    *(AttributeError, RuntimeError, struct.error, zlib.error),
)


class ImageReadError(ValueError):
    """A file that is no readable picture; the message names it and says why."""


class _UnsupportedError(ValueError):
    """A picture that is whole, but of a kind that we do not read; the message says why."""


@dataclass(frozen=True)
class Photo:
    """A picture as it came from disk, upright and in sRGB.

    Attributes:
      rgb: uint8 [H, W, 3].
      alpha: uint8 [H, W], or None where the file has no transparency.
      format: Pillow's name of the file's format, such as "JPEG".
      metadata: what the file says beside its pixels, for the file to be written.
      animation: its frames, where it moves and they were asked for. They are read from the file
        when they are needed.
      notes: what was lost in reading, each a phrase for people.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    format: str
    metadata: Metadata = NO_METADATA
    animation: Animation | None = None
    notes: tuple[str, ...] = ()


def read_photo(path: PathLike, *, animated: bool = False, max_pixels: int | None = None) -> Photo:
    """Reads a picture, turned upright by its EXIF orientation and in sRGB by its profile.

    Grey, palette and CMYK become RGB; 16 bits become 8.

    Args:
      path: the file.
      animated: read all frames of an animation; else the first, with a note.
      max_pixels: refuse more, all frames together; None leaves it to Pillow's own limit.

    Raises:
      ImageReadError: no file, no picture, a broken one or one that is too large.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            # Opening a pipe would wait for ever.
            raise ImageReadError(f"{path}: a pipe or device, not a file")
        with path.open("rb") as stream:
            again = (lambda: path) if animated else None
            return _decode(stream, name=str(path), again=again, max_pixels=max_pixels)
    except FileNotFoundError as error:
        reason = "a link to nothing" if path.is_symlink() else "there is no such file"
        raise ImageReadError(f"{path}: {reason}") from error
    except IsADirectoryError as error:
        raise ImageReadError(f"{path}: {_what_folder(path)}") from error
    except OSError as error:
        raise ImageReadError(f"{path}: cannot be read ({error.strerror})") from error


def _what_folder(path: Path) -> str:
    try:
        os.listdir(path)
    except OSError as error:
        return f"the folder cannot be read ({error.strerror})"
    return "this is a folder, not a picture"


def decode_photo(
    data: bytes, *, name: str, animated: bool = False, max_pixels: int | None = None
) -> Photo:
    """`read_photo` of a file's content; `name` is what an error calls it."""
    again = (lambda: io.BytesIO(data)) if animated else None
    return _decode(io.BytesIO(data), name=name, again=again, max_pixels=max_pixels)


@functools.lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those of `READ_FORMATS` that this Pillow has been built with."""
    Image.init()
    return tuple(name for name in READ_FORMATS if name in Image.OPEN)


def count_pixels(path: PathLike, *, max_pixels: int | None = None) -> int:
    """Pixels of a picture by its header alone, all frames together.

    0 where it has none to read, and where they are so many that `read_photo` refuses them.
    """
    path = Path(path)
    try:
        if not path.is_file():
            return 0
        with (
            collected_messages(),
            _pillows_limit(max_pixels),
            Image.open(path, formats=_formats()) as opened,
        ):
            return opened.width * opened.height * _frames(opened)
    except (Image.DecompressionBombError, MemoryError, *_DECODER_ERRORS):
        return 0  # why it cannot be read, or is odd, is for `read_photo` to say


def _decode(
    stream: BinaryIO,
    *,
    name: str,
    again: Callable[[], Path | BinaryIO] | None,
    max_pixels: int | None,
) -> Photo:
    """A picture; with `again`, which gives what is to be opened anew, an animation's frames too."""
    with collected_messages() as messages:
        try:
            with _pillows_limit(max_pixels), Image.open(stream, formats=_formats()) as opened:
                frames = 1 if again is None else _frames(opened)
                _refuse_size(opened, frames, name=name, max_pixels=max_pixels)
                photo = _decode_first(opened)
                if again is not None and frames > 1:
                    photo = _with_frames(opened, photo, frames, again, name, max_pixels)
            said = (f"the decoder says: {message}" for message in messages)
            return replace(photo, notes=(*photo.notes, *said))
        except ImageReadError:
            raise
        except UnidentifiedImageError as error:
            raise ImageReadError(f"{name}: {_what_it_is(stream)}") from error
        except Image.DecompressionBombError as error:
            reason = f"to be read safely ({error})"
            if max_pixels is not None:
                reason = f"in it: {_limit_hint(max_pixels)}"
            raise ImageReadError(f"{name}: too many pixels {reason}") from error
        except _UnsupportedError as error:
            raise ImageReadError(f"{name}: {error}") from error
        except MemoryError as error:
            raise ImageReadError(f"{name}: takes more memory than is free") from error
        except _DECODER_ERRORS as error:
            # The disk's error and not the decoder's; EINVAL is what a senseless offset ends in.
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise
            reasons = "; ".join([str(error), *messages])
            raise ImageReadError(f"{name}: broken or cut off ({reasons})") from error


_limit_lock = threading.Lock()
_limits: list[int] = []
_own_limit: int | None = None


@contextlib.contextmanager
def _pillows_limit(pixels: int | None) -> Iterator[None]:
    """Within, Pillow refuses pictures of more than twice as many pixels; None leaves its own limit.

    It is never off: a frame of a GIF may claim to be larger than the picture, and Pillow makes room
    for it at once. The limit is one for the whole process. Of several threads the largest counts,
    and it is set back when the last one leaves.
    """
    global _own_limit
    if pixels is None:
        yield
        return
    with _limit_lock:
        if not _limits:
            _own_limit = Image.MAX_IMAGE_PIXELS
        _limits.append(pixels)
        Image.MAX_IMAGE_PIXELS = max(_limits)
    try:
        yield
    finally:
        with _limit_lock:
            _limits.remove(pixels)
            Image.MAX_IMAGE_PIXELS = max(_limits) if _limits else _own_limit


def _frames(opened: Image.Image) -> int:
    """How many frames move; a TIFF's pages and a phone's JPEG with a second picture do not."""
    if opened.format not in ANIMATED or not getattr(opened, "is_animated", False):
        return 1
    return int(getattr(opened, "n_frames", 1))


def _refuse_size(opened: Image.Image, frames: int, *, name: str, max_pixels: int | None) -> None:
    if max_pixels is not None and opened.width * opened.height * frames > max_pixels:
        of_frames = f" in {frames} frames" if frames > 1 else ""
        raise ImageReadError(
            f"{name}: {opened.width} x {opened.height}{of_frames} is too many pixels: "
            f"{_limit_hint(max_pixels)}"
        )


def _limit_hint(max_pixels: int) -> str:
    return (
        f"the limit is {max_pixels / 1e6:g} megapixels. Raise it (--max_megapixels) if you trust "
        "the file"
    )


def _what_it_is(stream: BinaryIO) -> str:
    """What to call a file that Pillow does not know."""
    stream.seek(0)
    head = stream.read(32)
    if not head:
        return "an empty file"
    if head[4:8] == b"ftyp":
        if b"avif" in head or b"avis" in head:
            return "AVIF, which this Pillow cannot read; a newer one can (11.3), or convert it"
        if any(brand in head for brand in (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1")):
            return "HEIC, which Pillow cannot read; convert it to JPEG first"
    return "not a picture that Pillow can read"


def _decode_first(opened: Image.Image) -> Photo:
    file_format = opened.format or ""
    notes = []
    # Before the pixels are read: what is stored is known by the decoder's instructions only.
    if opened.mode.startswith("I") or any(
        ";16" in str(tile[-1]) for tile in getattr(opened, "tile", ())
    ):
        notes.append("16 bits a channel kept as 8")
    if opened.mode == "F":
        raise _UnsupportedError(
            "floating-point pixels of an unknown range; save it with 8 or 16 bits"
        )
    metadata, lost = read_metadata(opened)
    opened.load()  # PNG files may state their orientation behind the pixels
    turned = opened.getexif().get(ORIENTATION, 1) in range(2, 9)
    # Pillow copies a picture that is upright already.
    upright = ImageOps.exif_transpose(opened) if turned else opened
    profile = upright.info.get("icc_profile")
    has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    if upright.mode.startswith("I"):  # 16-bit grey; Pillow would clip it at 255
        levels = np.asarray(upright, dtype=np.float64) * (255 / 65535)
        upright = Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
        has_alpha = False
        if profile:
            upright.info["icc_profile"] = profile
    alpha = np.array(upright.convert("RGBA"))[..., 3] if has_alpha else None
    srgb, stated, ignored = to_srgb(upright)
    if getattr(opened, "is_animated", False) and file_format != "MPO":
        notes.append("only the first of several frames or pages")
    return Photo(
        rgb=np.array(srgb),
        alpha=alpha,
        # A phone's JPEG that holds a second picture, such as a depth map, is a JPEG to people.
        format="JPEG" if file_format == "MPO" else file_format,
        metadata=replace(metadata, icc_profile=stated),
        notes=(*notes, *lost, *ignored),
    )


def _with_frames(
    opened: Image.Image,
    first: Photo,
    frames: int,
    again: Callable[[], Path | BinaryIO],
    name: str,
    max_pixels: int | None,
) -> Photo:
    def reopen() -> Image.Image:
        return Image.open(again(), formats=_formats())

    animation = animation_of(opened, frames, reopen=reopen)
    notes = tuple(note for note in first.notes if not note.startswith("only the first"))
    return replace(first, animation=_named(animation, name, max_pixels), notes=notes)


def _named(animation: Animation, name: str, max_pixels: int | None) -> Animation:
    """The animation, whose frames name the file where they cannot be read any more."""

    def frames() -> Generator[Frame, None, None]:
        with contextlib.closing(animation.frames()) as unnamed:
            while True:
                try:
                    # The messages were noted when the file was opened.
                    with collected_messages(), _pillows_limit(max_pixels):
                        frame = next(unnamed, None)
                except (Image.DecompressionBombError, *_DECODER_ERRORS) as error:
                    raise ImageReadError(f"{name}: changed while it was read ({error})") from error
                if frame is None:
                    return
                yield frame

    return replace(animation, frames=frames)


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
    metadata: Metadata | None = None,
) -> None:
    """Writes a picture, whole or not at all (see `write_whole`).

    Args:
      path: where to; an existing file is replaced.
      rgb: uint8 [H, W, 3].
      alpha: see `encode_image`.
      file_format: a key of `wbc_tf.files.formats.FORMATS`; by the extension when None.
      quality: of JPEG and WebP, 1 to 100.
      metadata: see `encode_image`.

    Raises:
      ValueError: a format that we do not write.
      OSError: the disk or the folder refuses.
    """
    file_format = file_format or format_of(path)
    data = encode_image(
        rgb, alpha=alpha, file_format=file_format, quality=quality, metadata=metadata
    )
    write_whole(path, data)


def encode_image(
    rgb: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    file_format: str,
    quality: int = 95,
    metadata: Metadata | None = None,
) -> bytes:
    """A picture as the content of a file.

    Args:
      rgb: uint8 [H, W, 3].
      alpha: uint8 [H, W]; laid over white where the format has no transparency. A GIF's is all or
        nothing.
      file_format: a key of `wbc_tf.files.formats.FORMATS`.
      quality: of JPEG and WebP, 1 to 100.
      metadata: what the file is to say beside its pixels; what the format cannot hold is left out.
    """
    picture = _to_pillow(rgb, alpha, file_format)
    options = _options(file_format, quality=quality, metadata=metadata)
    content = io.BytesIO()
    picture.save(content, format=file_format, **options)
    return content.getvalue()


def encode_animation(
    animation: Animation, *, file_format: str, quality: int = 95, metadata: Metadata | None = None
) -> bytes:
    """A moving picture as the content of a GIF, WebP or (animated) PNG file.

    Frame by frame: besides the file's content, no more than two frames are in memory.

    In a WebP file equal frames that follow each other may become one that is shown as long as both.

    Args:
      animation: the frames; they are made once.
      file_format: "GIF", "WEBP" or "PNG".
      quality: of WebP, 1 to 100.
      metadata: see `encode_image`.
    """
    if file_format not in ANIMATED:
        raise ValueError(f"{file_format} files do not move; choose one of {', '.join(ANIMATED)}")
    options = _options(file_format, quality=quality, metadata=metadata)
    with contextlib.closing(animation.frames()) as frames:
        if file_format == "PNG":
            return encode_apng(
                (f.rgb if f.alpha is None else np.dstack([f.rgb, f.alpha]) for f in frames),
                animation.milliseconds,
                loop=animation.loop or 0,
                options=options,
            )
        if file_format == "GIF":
            return encode_gif(frames, animation.milliseconds, loop=animation.loop)
        options["duration"] = list(animation.milliseconds)
        options["loop"] = animation.loop or 0
        first = FrameSequence((_to_pillow(*f, file_format) for f in frames), len(animation))
        content = io.BytesIO()
        first.save(content, format=file_format, save_all=True, **options)
        return _with_alpha_stated(content) if first.mode == "RGBA" else content.getvalue()


def _with_alpha_stated(webp: io.BytesIO) -> bytes:
    """A moving WebP file whose header says that it has transparency.

    libwebp leaves out rows and columns that are transparent in every frame, and does not say so
    where what remains has none.
    """
    content = bytearray(webp.getvalue())
    if content[12:16] == b"VP8X":
        content[20] |= 0x10
    return bytes(content)


def _to_pillow(rgb: np.ndarray, alpha: np.ndarray | None, file_format: str) -> Image.Image:
    if file_format == "GIF":
        return palette_picture(rgb, alpha)
    if alpha is None:
        return Image.fromarray(rgb)
    picture = Image.fromarray(np.dstack([rgb, alpha]))
    if file_format not in _KEEPS_ALPHA:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return picture


def _options(file_format: str, *, quality: int, metadata: Metadata | None) -> dict[str, Any]:
    options = save_options(metadata or NO_METADATA, file_format)
    if file_format in ("JPEG", "WEBP"):
        options["quality"] = quality
    if file_format == "JPEG":
        options["subsampling"] = 0 if quality >= 90 else 2  # chroma blocks show on flat colours
    return options
