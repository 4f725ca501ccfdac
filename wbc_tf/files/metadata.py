"""What a picture's file says beside its pixels: colour profile, EXIF and XMP; carried over.

A cartoon is sRGB: the network is trained on it, and viewers assume it where a file states no
profile. Where the photo states another profile, the pixels are converted. Where it states any, the
cartoon states sRGB. What EXIF says of how the pixels are stored is not true of the new file and is
left out; so is the thumbnail, which would still show the photo.
"""

from __future__ import annotations

import functools
import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

#: Formats, as Pillow names them, that hold EXIF, XMP and a profile.
_HOLD_METADATA = ("JPEG", "PNG", "WEBP", "TIFF")
# A JPEG segment's length has 16 bits, two bytes of which count itself.
_SEGMENT = 65533
# What phones write of a short video, a gain map or a depth map behind the picture's own bytes. A
# viewer that finds these names looks for bytes that a cartoon does not have.
_GONE = re.compile(rb"MotionPhoto|MicroVideo|hdrgm:|GDepth:|GImage:|Container:Directory")
_XMP_HEADER = len(b"http://ns.adobe.com/xap/1.0/\x00")

ORIENTATION, _XMP_TAG, _EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x0112, 700, 0x8769, 0x8825, 0xA005
_COLOR_SPACE, _SRGB = 0xA001, 1
#: TIFF's tags of how pixels are stored, and those that we carry by other ways.
_LAYOUT_TAGS = {
    *(*range(254, 260), 262, *range(263, 267), 273, *range(277, 282), 284, *range(288, 293), 301),
    *(*range(317, 326), 330, *range(332, 335), *range(336, 348), *range(512, 533)),
    *(_XMP_TAG, 33723, 34377, 34675),
}
#: Within the EXIF block: width and height, which the new file knows by itself.
_SIZE_TAGS = (0xA002, 0xA003)
# What Pillow raises over a broken block or one that it cannot write.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error, AttributeError)


@dataclass(frozen=True)
class Metadata:
    """What goes with the pixels into the new file.

    Attributes:
      exif: an EXIF block as Pillow takes it; empty for none.
      xmp: an XMP packet; empty for none.
      icc_profile: the profile to state; empty for none.
    """

    exif: bytes = b""
    xmp: bytes = b""
    icc_profile: bytes = b""


NO_METADATA = Metadata()


def read_metadata(opened: Image.Image) -> tuple[Metadata, list[str]]:
    """EXIF and XMP of an opened file, with the orientation reset; and notes on what is lost."""
    notes = []
    try:
        exif = _kept_exif(opened.getexif())
    except _BROKEN as error:
        exif = b""
        notes.append(f"EXIF data broken and left out ({error})")
    xmp = opened.info.get("xmp") or b""
    xmp = xmp.encode("utf-8") if isinstance(xmp, str) else bytes(xmp)
    if _GONE.search(xmp):
        xmp = b""
        notes.append(
            "XMP left out: it describes data behind the picture that are not kept (motion photo, "
            "gain map or depth map)"
        )
    xmp = re.sub(rb'(tiff:Orientation(?:=["\']|>))[2-8]', rb"\g<1>1", xmp)
    return Metadata(exif=exif, xmp=xmp.rstrip(b"\x00")), notes


def _kept_exif(exif: Image.Exif) -> bytes:
    kept = Image.Exif()
    for tag, value in exif.items():
        if tag not in _LAYOUT_TAGS:
            kept[tag] = _as_stored(value)
    stored = exif.get_ifd(_EXIF_IFD)
    inner = {tag: _as_stored(v) for tag, v in stored.items() if tag not in _SIZE_TAGS}
    if inner:
        if _INTEROP_IFD in inner:
            inner[_INTEROP_IFD] = exif.get_ifd(_INTEROP_IFD)
        if _COLOR_SPACE in inner:
            inner[_COLOR_SPACE] = _SRGB
        kept[_EXIF_IFD] = inner
    if _GPS_IFD in exif:
        kept[_GPS_IFD] = exif.get_ifd(_GPS_IFD)
    if ORIENTATION in kept:
        kept[ORIENTATION] = 1
    return kept.tobytes() if len(kept) else b""


def _as_stored(value: Any) -> Any:
    # Pillow reads texts byte by byte, but would write question marks for what is not ASCII.
    if isinstance(value, str) and not value.isascii():
        return value.encode("latin-1", "replace")
    return value


def fit_metadata(metadata: Metadata, file_format: str) -> tuple[Metadata, list[str]]:
    """What of it the format can hold; and notes on what it cannot."""
    if file_format not in _HOLD_METADATA:
        lost = [n for n, data in (("EXIF", metadata.exif), ("XMP", metadata.xmp)) if data]
        return NO_METADATA, [f"{name} left out: {file_format} has no place for it" for name in lost]
    notes = []
    if file_format == "JPEG":
        for name, data, limit in (
            ("exif", metadata.exif, _SEGMENT),
            ("xmp", metadata.xmp, _SEGMENT - _XMP_HEADER),
        ):
            if len(data) > limit:
                metadata = replace(metadata, **{name: b""})
                notes.append(f"{name.upper()} left out: larger than JPEG's 64 KiB")
    return metadata, notes


def save_options(metadata: Metadata, file_format: str) -> dict[str, Any]:
    """Arguments for Pillow's ``save``; what the format cannot hold is left out."""
    fitting, _ = fit_metadata(metadata, file_format)
    options: dict[str, Any] = {}
    if fitting.icc_profile:
        options["icc_profile"] = fitting.icc_profile
    if file_format == "TIFF":
        exif = Image.Exif()
        exif.load(fitting.exif)
        for tag, value in list(exif.items()):
            exif[tag] = _as_stored(value)
        if fitting.xmp:
            exif[_XMP_TAG] = fitting.xmp
        if len(exif):
            options["exif"] = exif
        return options
    if fitting.exif:
        options["exif"] = fitting.exif
    if fitting.xmp and file_format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", fitting.xmp.decode("utf-8", "replace"))
    elif fitting.xmp:
        options["xmp"] = fitting.xmp
    return options


def add_to_jpeg(jpeg: bytes, metadata: Metadata) -> bytes:
    """A JPEG file with metadata put in; the picture in it is not encoded again."""
    content = io.BytesIO()
    Image.new("L", (1, 1)).save(content, "JPEG", **save_options(metadata, "JPEG"))
    segments = list(_application_segments(content.getvalue()))
    added = b"".join(segment for segment in segments if segment[1] in (0xE1, 0xE2))
    # JFIF's own segment comes first.
    first = next(_application_segments(jpeg), b"")
    position = 2 + (len(first) if first[1:2] == b"\xe0" else 0)
    return jpeg[:position] + added + jpeg[position:]


def _application_segments(jpeg: bytes) -> Iterator[bytes]:
    """The segments behind the file's first two bytes that do not belong to the picture."""
    position = 2
    while jpeg[position] == 0xFF and 0xE0 <= jpeg[position + 1] <= 0xEF:
        end = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        yield jpeg[position:end]
        position = end


def to_srgb(picture: Image.Image) -> tuple[Image.Image, bytes, list[str]]:
    """Converts a picture of 8 bits a channel to sRGB by the profile that it states.

    Returns:
      The picture in mode RGB, without alpha; the profile to state in its place, empty where it
      stated none; and notes on what could not be honoured.
    """
    profile = picture.info.get("icc_profile") or b""
    if picture.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        from_lab = ImageCms.buildTransform(lab, _srgb(), "LAB", "RGB")
        return from_lab.apply(picture), srgb_profile(), []
    if picture.mode in ("LA", "1"):
        picture = _in_mode(picture, "L")
    elif picture.mode not in ("L", "CMYK"):
        picture = _in_mode(picture, "RGB")
    if not profile:
        return _in_mode(picture, "RGB"), b"", []
    try:
        mode, transform = _transform(profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        return _in_mode(picture, "RGB"), b"", [f"colour profile unreadable and ignored ({error})"]
    if mode != picture.mode and (mode, picture.mode) != ("RGB", "L"):
        note = f"colour profile ignored: it is for {mode} pixels, these are {picture.mode}"
        return _in_mode(picture, "RGB"), b"", [note]
    if transform is None:
        return _in_mode(picture, "RGB"), (profile if mode == "RGB" else srgb_profile()), []
    return transform.apply(_in_mode(picture, mode)), srgb_profile(), []


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    """The picture in one of Pillow's modes; itself where it has that mode.

    Pillow's own `convert` copies it then, which takes 30 ms for 12 megapixels.
    """
    return picture if picture.mode == mode else picture.convert(mode)


@functools.lru_cache(maxsize=16)  # a folder's photos come from few cameras
def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """The mode that a profile is for, and the way to sRGB; None where it is sRGB already."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space not in ("GRAY", "RGB", "CMYK"):
        raise ValueError(f"colour space {space}")
    mode = "L" if space == "GRAY" else space
    transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    if mode == "CMYK":
        return mode, transform
    # sRGB has many spellings. One that moves no colour by more than a grey level is taken for it,
    # so that the usual photo's pixels reach the network as they are.
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 18, 3)
    probe = Image.fromarray(grid).convert(mode)
    moved = np.asarray(transform.apply(probe)).astype(int)
    same = np.abs(moved - np.asarray(probe.convert("RGB"))).max() <= 1
    return mode, None if same else transform


def _srgb() -> Any:
    return ImageCms.createProfile("sRGB")


@functools.lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An ICC profile that states sRGB; the same bytes in every run."""
    profile = bytearray(ImageCms.ImageCmsProfile(_srgb()).tobytes())
    # Bytes 24 to 35 of the header are the time it was made.
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)
