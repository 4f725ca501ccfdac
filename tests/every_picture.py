"""A picture of every kind that people have, as the content of a file."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from PIL import Image, features

from tests import animations
from wbc_tf.files.metadata import srgb_profile
from wbc_tf.files.pictures import encode_animation, encode_image


def gradient(height: int = 21, width: int = 34) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    levels = [255 * y / height, 255 * x / width, 255 - 255 * y / height]
    return np.dstack(levels).astype(np.uint8)


def encoded(mode: str, file_format: str, size: tuple[int, int] = (21, 34), **options: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(gradient(*size)).convert(mode).save(content, file_format, **options)
    return content.getvalue()


def _deep(extension: str, *, grey: bool) -> bytes:
    pixels = gradient()[..., 0] if grey else gradient()
    return cv2.imencode(extension, pixels.astype(np.uint16) * 257)[1].tobytes()


def _oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = orientation, "somebody"
    return encoded("RGB", "JPEG", exif=exif, quality=95)


def moving(file_format: str, *, transparent: bool) -> bytes:
    frames = np.stack([np.roll(gradient(), 5 * number, axis=1) for number in range(3)])
    alpha = np.full(frames.shape[:3], 255, np.uint8)
    alpha[:, :5, :7] = 0
    times = (50.0, 100.0, 150.0)
    animation = animations.moving(frames, alpha if transparent else None, times, 2)
    return encode_animation(animation, file_format=file_format)


def _with_alpha(file_format: str) -> bytes:
    rgb = gradient()
    alpha = np.where(rgb[..., 0] > 100, 255, 0).astype(np.uint8)
    return encode_image(rgb, alpha=alpha, file_format=file_format)


def good_pictures() -> dict[str, bytes]:
    """Name -> content; some forty kinds."""
    files = {
        "grey.jpg": encoded("L", "JPEG"),
        "cmyk.jpg": encoded("CMYK", "JPEG"),
        "progressive.jpg": encoded("RGB", "JPEG", progressive=True),
        "srgb profile.jpg": encoded("RGB", "JPEG", icc_profile=srgb_profile()),
        "UPPER.JPG": encoded("RGB", "JPEG"),
        "windows.jfif": encoded("RGB", "JPEG"),
        "two.dots.jpeg": encoded("RGB", "JPEG"),
        "bit.png": encoded("1", "PNG"),
        "grey.png": encoded("L", "PNG"),
        "grey alpha.png": encoded("LA", "PNG"),
        "palette.png": encoded("P", "PNG"),
        "palette clear.png": encoded("P", "PNG", transparency=3),
        "deep grey.png": _deep(".png", grey=True),
        "deep colour.png": _deep(".png", grey=False),
        "deep colour.tif": _deep(".tif", grey=False),
        "deep grey.tif": _deep(".tif", grey=True),
        "cmyk.tif": encoded("CMYK", "TIFF"),
        "lzw.tiff": encoded("RGB", "TIFF", compression="tiff_lzw"),
        "plain.bmp": encoded("RGB", "BMP"),
        "palette.bmp": encoded("P", "BMP"),
        "lossless.webp": encoded("RGB", "WEBP", lossless=True),
        "still.gif": encoded("P", "GIF"),
        "one pixel.png": encoded("RGB", "PNG", (1, 1)),
        "one row.png": encoded("RGB", "PNG", (1, 90)),
        "one column.png": encoded("RGB", "PNG", (90, 1)),
        "png.jpg": encoded("RGB", "PNG"),
        "jpg.png": encoded("RGB", "JPEG"),
        "gif.webp": moving("GIF", transparent=False),
        "ünïcödé 写真 😀.png": encoded("RGB", "PNG"),
        "[star*].png": encoded("RGB", "PNG"),
        "-dash --flag=1.png": encoded("RGB", "PNG"),
        "new\nline.png": encoded("RGB", "PNG"),
        "n" * 250 + ".png": encoded("RGB", "PNG"),
        "deep/er/same.png": encoded("RGB", "PNG"),
        "folder.jpg/same.png": encoded("RGB", "PNG"),
    }
    for number in range(2, 9):
        files[f"turned {number}.jpg"] = _oriented(number)
    for file_format, extension in (("GIF", ".gif"), ("WEBP", ".webp"), ("PNG", ".apng")):
        files[f"moving{extension}"] = moving(file_format, transparent=False)
        files[f"moving clear{extension}"] = moving(file_format, transparent=True)
    for file_format, extension in (("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif")):
        files[f"alpha{extension}"] = _with_alpha(file_format)
    if features.check("avif"):
        files["phone.avif"] = encoded("RGB", "AVIF")
    return files
