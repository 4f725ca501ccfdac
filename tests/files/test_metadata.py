from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from wbc_tf.files.metadata import (
    Metadata,
    add_to_jpeg,
    fit_metadata,
    read_metadata,
    save_options,
    srgb_profile,
    to_srgb,
)
from wbc_tf.files.pictures import Photo, encode_image, read_photo, write_image

ARTIST, ORIENTATION, MAKE, EXIF, GPS = 0x013B, 0x0112, 0x010F, 0x8769, 0x8825
LENS, COLOR_SPACE, WIDTH, LATITUDE_REF = 0xA434, 0xA001, 0xA002, 1
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" rating="5"/></x:xmpmeta>'
)


@pytest.fixture
def picture() -> Image.Image:
    y, x = np.mgrid[:24, :36]
    return Image.fromarray(np.dstack([7 * x, 10 * y, 255 - 7 * x]).astype(np.uint8))


def _exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[ARTIST] = "Ånne".encode()  # as cameras and phones write it; Pillow itself would write "?"
    exif[ORIENTATION], exif[MAKE] = orientation, "Camera"
    exif[EXIF] = {LENS: "50 mm", COLOR_SPACE: 0xFFFF, WIDTH: 36}
    exif[GPS] = {LATITUDE_REF: "N"}
    return exif


def _swapped_profile() -> bytes:
    """A profile of our own making that is surely not sRGB: its red and blue primaries swapped."""
    profile = bytearray(srgb_profile())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def _carried(source: Path, target: Path) -> tuple[Photo, Image.Image]:
    photo = read_photo(source)
    write_image(target, photo.rgb, alpha=photo.alpha, metadata=photo.metadata)
    return photo, Image.open(target)


@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif"])
def test_exif_and_xmp_arrive_and_the_orientation_is_reset(
    tmp_path: Path, picture: Image.Image, source: str, target: str
) -> None:
    options: dict[str, Any] = {"exif": _exif(), "xmp": XMP}
    if source in (".tif", ".png"):  # which Pillow writes in ways of their own
        exif = options["exif"].tobytes()
        options = save_options(
            Metadata(exif=exif, xmp=XMP), {".tif": "TIFF", ".png": "PNG"}[source]
        )
    picture.save(tmp_path / f"a{source}", **options)
    photo, written = _carried(tmp_path / f"a{source}", tmp_path / f"b{target}")
    assert photo.rgb.shape == (36, 24, 3), "upright"
    assert written.size == (24, 36)
    exif = written.getexif()
    # Pillow's TIFF reader removes the orientation once it has applied it.
    assert exif.get(ORIENTATION, 1) == 1
    assert (exif[ARTIST].encode("latin-1").decode(), exif[MAKE]) == ("Ånne", "Camera")
    inner = exif.get_ifd(EXIF)
    assert (inner[LENS], inner[COLOR_SPACE]) == ("50 mm", 1)
    assert WIDTH not in inner, "the size of the photo before it was turned"
    assert exif.get_ifd(GPS) == {LATITUDE_REF: "N"}
    xmp = written.info["xmp"]
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    assert xmp.rstrip(b"\0") == XMP.replace(b'"6"', b'"1"')
    assert read_photo(tmp_path / f"b{target}").rgb.shape == (36, 24, 3), "not turned twice"


def test_a_tiffs_layout_is_not_carried_as_exif(tmp_path: Path, picture: Image.Image) -> None:
    picture.save(tmp_path / "a.tif", compression="tiff_lzw", tiffinfo={270: "a title"})
    photo, written = _carried(tmp_path / "a.tif", tmp_path / "b.png")
    exif = dict(written.getexif())
    assert exif == {270: "a title"}
    np.testing.assert_array_equal(photo.rgb, np.asarray(picture))


def test_without_metadata_none_is_made_up(tmp_path: Path, picture: Image.Image) -> None:
    picture.save(tmp_path / "a.png")
    photo, written = _carried(tmp_path / "a.png", tmp_path / "b.jpg")
    assert photo.metadata == Metadata()
    assert not {"exif", "xmp", "icc_profile"} & written.info.keys()


def test_broken_exif_is_left_out_with_a_note(
    tmp_path: Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(exif: Image.Exif) -> bytes:
        raise ValueError("a tag of no known type")

    picture.save(tmp_path / "a.jpg", exif=_exif())
    monkeypatch.setattr(Image.Exif, "tobytes", stumble)
    with Image.open(tmp_path / "a.jpg") as opened:
        metadata, notes = read_metadata(opened)
    assert metadata.exif == b""
    assert notes == ["EXIF data broken and left out (a tag of no known type)"]


def test_what_a_format_cannot_hold_is_noted() -> None:
    metadata = Metadata(exif=b"Exif\0\0" + b"x" * 70_000, xmp=b"y" * 65_520)
    kept, notes = fit_metadata(metadata, "JPEG")
    assert kept == Metadata()
    assert notes == [
        "EXIF left out: larger than JPEG's 64 KiB",
        "XMP left out: larger than JPEG's 64 KiB",
    ]
    assert fit_metadata(metadata, "PNG") == (metadata, [])
    assert fit_metadata(metadata, "BMP") == (
        Metadata(),
        ["EXIF left out: BMP has no place for it", "XMP left out: BMP has no place for it"],
    )


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif"])
def test_colours_are_converted_and_srgb_is_stated(
    tmp_path: Path, picture: Image.Image, extension: str
) -> None:
    picture.save(tmp_path / "a.png", icc_profile=_swapped_profile())
    photo, written = _carried(tmp_path / "a.png", tmp_path / f"b{extension}")
    # The primaries change places: what the file calls red is a blue.
    np.testing.assert_allclose(photo.rgb, np.asarray(picture)[..., ::-1], atol=2)
    assert written.info["icc_profile"] == srgb_profile()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_a_profile_that_is_srgb_already_moves_no_pixel(
    tmp_path: Path, picture: Image.Image
) -> None:
    own = bytearray(srgb_profile())
    own[24:36] = bytes(12)  # made at another time: other bytes, the same colours
    picture.save(tmp_path / "a.png", icc_profile=bytes(own))
    photo, written = _carried(tmp_path / "a.png", tmp_path / "b.png")
    np.testing.assert_array_equal(photo.rgb, np.asarray(picture))
    assert written.info["icc_profile"] == bytes(own)


def test_alpha_is_not_touched_by_a_profile(tmp_path: Path, picture: Image.Image) -> None:
    alpha = np.arange(24 * 36).reshape(24, 36).astype(np.uint8)
    rgba = picture.copy()
    rgba.putalpha(Image.fromarray(alpha))
    rgba.save(tmp_path / "a.png", icc_profile=_swapped_profile())
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").alpha, alpha)


def test_a_profile_that_does_not_fit_is_ignored_with_a_note(picture: Image.Image) -> None:
    for profile, image, reason in (
        (b"no profile at all", picture, "unreadable"),
        (srgb_profile(), picture.convert("CMYK"), "it is for RGB pixels, these are CMYK"),
    ):
        image.info["icc_profile"] = profile
        converted, stated, (note,) = to_srgb(image)
        assert reason in note
        assert stated == b""
        np.testing.assert_array_equal(converted, image.convert("RGB"))


def test_grey_by_an_rgb_profile_and_lab(picture: Image.Image) -> None:
    grey = picture.convert("L")
    grey.info["icc_profile"] = srgb_profile()
    converted, _, notes = to_srgb(grey)
    np.testing.assert_array_equal(converted, grey.convert("RGB"))
    assert notes == []
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    converted, stated, _ = to_srgb(to_lab.apply(picture))
    assert stated == srgb_profile()
    # Eight bits of L, a and b are coarser than those of RGB where colours are saturated.
    assert np.abs(np.asarray(converted).astype(int) - np.asarray(picture)).mean() < 3


def test_pixels_that_are_srgb_already_are_not_copied(picture: Image.Image) -> None:
    assert to_srgb(picture)[0] is picture


def test_metadata_is_put_into_a_jpeg_without_encoding_it_again() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    jpeg = encode_image(noise, file_format="JPEG")
    assert add_to_jpeg(jpeg, Metadata()) == jpeg
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    metadata = Metadata(exif=exif.tobytes(), xmp=b"<x/>", icc_profile=srgb_profile())
    with Image.open(io.BytesIO(add_to_jpeg(jpeg, metadata))) as opened:
        assert opened.getexif()[0x013B] == "somebody"
        assert opened.info["icc_profile"] == srgb_profile()
        assert opened.info["xmp"] == b"<x/>"
        again = np.asarray(opened)
    with Image.open(io.BytesIO(jpeg)) as opened:
        np.testing.assert_array_equal(again, np.asarray(opened))


@pytest.mark.parametrize("name", ["GCamera:MotionPhoto", "hdrgm:Version", "GDepth:Mime"])
def test_xmp_of_bytes_that_are_gone_is_left_out_with_a_note(tmp_path: Path, name: str) -> None:
    packet = f'<x:xmpmeta><rdf:Description {name}="1"/></x:xmpmeta>'.encode()
    Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg", xmp=packet)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.metadata.xmp == b""
    assert any(note.startswith("XMP left out") for note in photo.notes)
