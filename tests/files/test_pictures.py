from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from tests.animations import moving, pixels
from tests.orientations import UPRIGHT
from wbc_tf.files.animation import Animation
from wbc_tf.files.pictures import (
    ImageReadError,
    count_pixels,
    decode_photo,
    encode_animation,
    encode_image,
    read_photo,
    read_rgb,
    write_image,
)

GREEN, BLUE = (10, 200, 30), (20, 40, 220)


@pytest.fixture
def picture() -> np.ndarray:
    """A non-square picture of which no flip or rotation equals another."""
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_reads_rgb_as_it_is(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.rgb, picture)
    assert photo.rgb.dtype == np.uint8
    assert photo.alpha is None
    assert photo.format == "PNG"


def test_grey_and_one_bit_become_three_equal_channels(tmp_path: Path, picture: np.ndarray) -> None:
    grey = picture[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "grey.png"), np.dstack([grey] * 3))
    Image.fromarray(grey > 127).save(tmp_path / "bit.png")
    np.testing.assert_array_equal(
        read_rgb(tmp_path / "bit.png"), np.dstack([np.where(grey > 127, 255, 0)] * 3)
    )


def test_palette_colours_are_looked_up(tmp_path: Path) -> None:
    indices = Image.fromarray(np.array([[0, 1, 1], [1, 0, 0]], np.uint8), mode="P")
    indices.putpalette([*GREEN, *BLUE])
    indices.save(tmp_path / "a.png")
    expected = [[GREEN, BLUE, BLUE], [BLUE, GREEN, GREEN]]
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), expected)
    assert read_photo(tmp_path / "a.png").alpha is None


def test_a_transparent_palette_entry_becomes_alpha(tmp_path: Path) -> None:
    indices = Image.fromarray(np.array([[0, 1, 1], [1, 0, 0]], np.uint8), mode="P")
    indices.putpalette([*GREEN, *BLUE])
    indices.save(tmp_path / "a.png", transparency=1)
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.alpha, [[255, 0, 0], [0, 255, 255]])
    np.testing.assert_array_equal(photo.rgb[0, 0], GREEN)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_apart(tmp_path: Path, picture: np.ndarray, mode: str) -> None:
    alpha = picture[..., 1]
    grey = np.dstack([picture[..., 0]] * 3)
    Image.fromarray(np.dstack([grey, alpha])).convert(mode).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(photo.rgb, grey)
    np.testing.assert_array_equal(photo.alpha, alpha)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    ink = np.zeros((8, 16, 4), np.uint8)
    ink[:, 8:] = (255, 0, 0, 0)  # full cyan: no red
    Image.fromarray(ink, mode="CMYK").save(tmp_path / "a.tif")
    rgb = read_rgb(tmp_path / "a.tif")
    assert rgb.shape == (8, 16, 3)
    np.testing.assert_array_equal(rgb[0, 0], [255, 255, 255])
    np.testing.assert_array_equal(rgb[0, -1], [0, 255, 255])


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_become_eight(tmp_path: Path, name: str) -> None:
    levels = np.array([[0, 257, 128 * 257, 65535], [300, 30000, 65000, 514]], np.uint16)
    cv2.imwrite(str(tmp_path / name), levels)
    expected = np.rint(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(read_rgb(tmp_path / name), np.dstack([expected] * 3))


def test_sixteen_bit_colour_becomes_eight(tmp_path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_undone(tmp_path: Path, picture: np.ndarray, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), UPRIGHT[orientation](picture))


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 4), colour) for colour in (GREEN, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.gif"), np.full((4, 5, 3), GREEN))


def _truncated(path: Path) -> None:
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)).save(
        path, "JPEG"
    )
    path.write_bytes(path.read_bytes()[:1500])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "this is a folder"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.write_text("not a picture"), "not a picture"),
        (_truncated, "broken or cut off"),
    ],
    ids=["missing", "folder", "empty", "text", "truncated"],
)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path: Path, make, message: str) -> None:
    path = tmp_path / "bad.jpg"
    make(path)
    with pytest.raises(ImageReadError, match=message) as error:
        read_photo(path)
    assert str(path) in str(error.value)


def test_a_files_content_is_read_as_the_file_is(tmp_path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    photo = decode_photo((tmp_path / "a.png").read_bytes(), name="upload 3")
    np.testing.assert_array_equal(photo.rgb, picture)
    assert (photo.alpha, photo.format) == (None, "PNG")
    for data, reason in ((b"", "an empty file"), (b"text", "not a picture")):
        with pytest.raises(ImageReadError, match=f"^upload 3: {reason}"):
            decode_photo(data, name="upload 3")


def test_a_picture_of_absurd_size_is_refused(
    tmp_path: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ImageReadError, match="too many pixels"):
        read_photo(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, which Pillow cannot read; convert it"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF, which this Pillow cannot read"),
    ],
)
def test_what_pillow_may_lack_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, head: bytes, message: str
) -> None:
    def unidentified(stream: object, **_: object) -> None:
        raise UnidentifiedImageError

    monkeypatch.setattr(Image, "open", unidentified)
    with pytest.raises(ImageReadError, match=message):
        decode_photo(head, name="a.heic")


def test_pipes_are_not_waited_for_and_links_to_nothing_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageReadError, match=r"pipe\.jpg: a pipe or device"):
        read_photo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    with pytest.raises(ImageReadError, match=r"gone\.jpg: a link to nothing"):
        read_photo(tmp_path / "gone.jpg")
    assert count_pixels(tmp_path / "pipe.jpg") == count_pixels(tmp_path / "gone.jpg") == 0


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "grey.png"])
def test_sixteen_bits_are_noted(tmp_path: Path, picture: np.ndarray, name: str) -> None:
    pixels = picture if name.startswith("deep") else picture[..., 0]
    cv2.imwrite(str(tmp_path / name), pixels.astype(np.uint16) * 257)
    assert read_photo(tmp_path / name).notes == ("16 bits a channel kept as 8",)


def test_floating_point_pixels_are_refused_and_not_guessed(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5), np.float32)).save(tmp_path / "a.tif")
    # It is neither broken nor cut off.
    with pytest.raises(ImageReadError, match=r"a\.tif: floating-point pixels of an unknown range"):
        read_photo(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.EIO, os.strerror(errno.EIO)),
            r"a\.png: cannot be read \(Input/output error",
        ),
        (OSError(errno.EINVAL, "Invalid argument"), r"a\.png: broken or cut off"),
        (MemoryError(), r"a\.png: takes more memory than is free"),
    ],
)
def test_what_is_no_fault_of_the_file_is_not_called_broken(
    tmp_path: Path,
    picture: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    message: str,
) -> None:
    def fail(self: Image.Image) -> None:
        raise error

    write_image(tmp_path / "a.png", picture)
    monkeypatch.setattr(Image.Image, "getexif", fail)
    monkeypatch.setattr(ImageOps, "exif_transpose", fail)
    with pytest.raises(ImageReadError, match=message):
        read_photo(tmp_path / "a.png")


def test_what_the_decoder_says_is_a_note_of_that_photo(
    tmp_path: Path, picture: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    # A profile that claims more bytes than the file has.
    Image.fromarray(picture).save(tmp_path / "a.tif", icc_profile=b"p" * 40)
    content = (tmp_path / "a.tif").read_bytes()
    stated = content.index((34675).to_bytes(2, "little"))
    count = (9999).to_bytes(4, "little")
    (tmp_path / "a.tif").write_bytes(content[: stated + 4] + count + content[stated + 8 :])
    for _ in range(2):  # Python would warn once
        photo = read_photo(tmp_path / "a.tif")
        np.testing.assert_array_equal(photo.rgb, picture)
        assert photo.notes == ("the decoder says: Truncated File Read",)
    assert capfd.readouterr() == ("", "")


def test_the_limit_counts_all_frames(tmp_path: Path, animation: Animation) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(encode_animation(animation, file_format="GIF"))
    count = 4 * 16 * 24
    assert count_pixels(path) == count
    assert read_photo(path, animated=True, max_pixels=count).animation is not None
    assert read_photo(path, max_pixels=count // 4).animation is None
    with pytest.raises(ImageReadError, match=r"in 4 frames is too many pixels.*--max_megapixels"):
        read_photo(path, animated=True, max_pixels=count - 1)


def _moving(*, transparent: bool = True) -> Animation:
    """Four frames of few colours, so that a palette and WebP's chroma can hold them."""
    generator = np.random.default_rng(3)
    blocks = generator.integers(0, 256, (4, 2, 3, 3), dtype=np.uint8)
    alpha = np.where(generator.random((4, 16, 24)) < 0.3, 0, 255).astype(np.uint8)
    rgb = np.kron(blocks, np.ones((1, 8, 8, 1), np.uint8))
    return moving(rgb, alpha if transparent else None, (40.0, 120.0, 70.0, 200.0), 3)


@pytest.fixture
def animation() -> Animation:
    return _moving()


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("transparent", [False, True])
def test_an_animation_comes_back_with_frames_timing_and_loop(
    tmp_path: Path, file_format: str, transparent: bool
) -> None:
    animation = _moving(transparent=transparent)
    path = tmp_path / "a"
    path.write_bytes(encode_animation(animation, file_format=file_format))
    photo = read_photo(path, animated=True)
    assert photo.notes == ()
    assert photo.animation is not None
    assert (photo.animation.milliseconds, photo.animation.loop) == (animation.milliseconds, 3)
    read, written = pixels(photo.animation), pixels(animation)
    assert read.shape == written.shape
    shown = slice(None)
    if transparent:
        np.testing.assert_array_equal(read[..., 3], written[..., 3])
        shown = written[..., 3] == 255
    error = np.abs(read[..., :3].astype(int) - written[..., :3])[shown]
    assert error.max() == 0 if file_format != "WEBP" else error.mean() < 6
    assert read_photo(path).notes == ("only the first of several frames or pages",)


def test_an_animation_that_goes_while_it_is_read_is_named(
    tmp_path: Path, animation: Animation
) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(encode_animation(animation, file_format="GIF"))
    read = read_photo(path, animated=True).animation
    path.write_bytes(b"")
    with pytest.raises(ImageReadError, match=f"{path}: changed while it was read"):
        pixels(read)


def test_a_gif_that_plays_once_says_nothing_of_a_loop(animation: Animation) -> None:
    once = replace(animation, loop=None)
    data = encode_animation(once, file_format="GIF")
    assert b"NETSCAPE2.0" not in data
    with pytest.raises(ValueError, match="JPEG files do not move; choose one of PNG, WEBP, GIF"):
        encode_animation(once, file_format="JPEG")


def test_an_apngs_picture_for_others_is_no_frame(tmp_path: Path, animation: Animation) -> None:
    rgb = pixels(animation)[..., :3]
    frames = [Image.fromarray(each) for each in rgb]
    frames[0].save(
        tmp_path / "a.png", save_all=True, append_images=frames[1:], default_image=True, duration=50
    )
    read = read_photo(tmp_path / "a.png", animated=True).animation
    np.testing.assert_array_equal(pixels(read), rgb[1:])


def test_a_phones_second_picture_is_no_animation(tmp_path: Path, picture: np.ndarray) -> None:
    first = Image.fromarray(picture)
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[first])
    photo = read_photo(tmp_path / "a.jpg", animated=True)
    assert (photo.format, photo.animation, photo.notes) == ("JPEG", None, ())


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tif", ".tiff"])
def test_lossless_formats_give_back_what_was_written(
    tmp_path: Path, picture: np.ndarray, extension: str
) -> None:
    write_image(tmp_path / f"a{extension}", picture)
    np.testing.assert_array_equal(read_rgb(tmp_path / f"a{extension}"), picture)


@pytest.mark.parametrize("extension", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_come_close_and_quality_counts(tmp_path: Path, extension: str) -> None:
    ramp = np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8)
    smooth = np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])
    sizes = []
    for quality in (20, 95):
        path = tmp_path / f"{quality}{extension}"
        write_image(path, smooth, quality=quality)
        sizes.append(path.stat().st_size)
    assert np.abs(read_rgb(path).astype(int) - smooth).mean() < 3
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("extension", [".png", ".webp", ".tif"])
def test_alpha_is_written_where_the_format_has_it(
    tmp_path: Path, picture: np.ndarray, extension: str
) -> None:
    alpha = picture[..., 0]
    write_image(tmp_path / f"a{extension}", picture, alpha=alpha)
    np.testing.assert_array_equal(read_photo(tmp_path / f"a{extension}").alpha, alpha)


def test_alpha_is_laid_over_white_where_the_format_has_none(tmp_path: Path) -> None:
    rgb = np.full((16, 16, 3), 40, np.uint8)
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 8:] = 255
    write_image(tmp_path / "a.bmp", rgb, alpha=alpha)
    read = read_photo(tmp_path / "a.bmp")
    assert read.alpha is None
    np.testing.assert_array_equal(read.rgb[:, :8], 255)
    np.testing.assert_array_equal(read.rgb[:, 8:], 40)


def test_an_encoded_picture_is_what_would_be_written(tmp_path: Path, picture: np.ndarray) -> None:
    write_image(tmp_path / "a.jpg", picture, quality=70)
    encoded = encode_image(picture, file_format="JPEG", quality=70)
    assert (tmp_path / "a.jpg").read_bytes() == encoded


def test_an_existing_file_is_replaced(tmp_path: Path, picture: np.ndarray) -> None:
    (tmp_path / "a.png").write_bytes(b"what was here before")
    write_image(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), picture)


def test_a_named_format_wins_over_the_extension(tmp_path: Path, picture: np.ndarray) -> None:
    write_image(tmp_path / "a.jpg", picture, file_format="PNG")
    assert read_photo(tmp_path / "a.jpg").format == "PNG"


def _full_disk(*_: object, **__: object) -> None:
    raise OSError("No space left on device")


@pytest.mark.parametrize(
    ("owner", "function"),
    [(Image.Image, "save"), (os, "fsync"), (os, "replace")],
    ids=["encode", "write", "rename"],
)
def test_a_failure_at_any_stage_leaves_the_old_file_and_nothing_else(
    tmp_path: Path,
    picture: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    function: str,
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"what was here before")
    monkeypatch.setattr(owner, function, _full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_image(path, picture)
    monkeypatch.undo()
    assert path.read_bytes() == b"what was here before"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_file_permissions_follow_the_umask(
    tmp_path: Path, picture: np.ndarray, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        write_image(tmp_path / "a.png", picture)
    finally:
        os.umask(before)
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == mode


def test_a_name_at_the_file_systems_limit_can_be_written(
    tmp_path: Path, picture: np.ndarray
) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    write_image(path, picture)
    np.testing.assert_array_equal(read_rgb(path), picture)


def test_an_unknown_extension_is_refused_before_anything_is_written(
    tmp_path: Path, picture: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"a\.xyz.*choose one of .*\.png"):
        write_image(tmp_path / "a.xyz", picture)
    assert not os.listdir(tmp_path)


def test_decoders_of_formats_that_we_do_not_list_are_not_reached(tmp_path: Path) -> None:
    Image.new("RGB", (9, 7)).save(tmp_path / "a.pcx")
    Image.new("RGB", (9, 7)).save(tmp_path / "b.ppm")
    assert read_photo(tmp_path / "b.ppm").rgb.shape == (7, 9, 3)
    with pytest.raises(ImageReadError, match=r"a\.pcx: not a picture that"):
        read_photo(tmp_path / "a.pcx")
    assert count_pixels(tmp_path / "a.pcx") == 0


def test_our_own_limit_takes_the_place_of_pillows_only_while_a_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # others' pictures stay limited by it
    Image.new("RGB", (9, 7)).save(tmp_path / "a.png")
    with pytest.raises(ImageReadError, match="too many pixels"):
        read_photo(tmp_path / "a.png")
    with ThreadPoolExecutor(4) as pool:
        photos = pool.map(lambda _: read_photo(tmp_path / "a.png", max_pixels=63), range(40))
        assert all(photo.rgb.shape == (7, 9, 3) for photo in photos)
    assert count_pixels(tmp_path / "a.png") == 0
    assert count_pixels(tmp_path / "a.png", max_pixels=63) == 63
    assert Image.MAX_IMAGE_PIXELS == 20


@pytest.mark.parametrize(
    ("side", "message"),
    [(20, "frame 1 reaches beyond the picture"), (65_000, r"too many pixels.*--max_megapixels")],
)
def test_a_gifs_frame_beyond_the_picture_gets_no_room(
    tmp_path: Path, animation: Animation, side: int, message: str
) -> None:
    """Pillow enlarges the picture for it, to 4 GB for a file of 4 KB."""
    content = encode_animation(animation, file_format="GIF")
    second = content.index(b"\x21\xf9", content.index(b"\x21\xf9") + 1) + 8
    assert content[second : second + 1] == b","
    content = content[: second + 5] + 2 * side.to_bytes(2, "little") + content[second + 9 :]
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(ImageReadError, match=message):
        read_photo(tmp_path / "a.gif", animated=True, max_pixels=5000)
