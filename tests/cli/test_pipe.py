from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from absl import flags

from wbc_tf.cli.command_line import FAILED, OK, UsageError, new_flags
from wbc_tf.cli.job_flags import define_job_flags
from wbc_tf.cli.picture_flags import define_file_flags
from wbc_tf.cli.pipe import with_pipes
from wbc_tf.files.pictures import decode_photo, encode_image, read_photo, write_image

PICTURE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)


def _values(*arguments: str) -> flags.FlagValues:
    values = new_flags()
    define_job_flags(values)
    define_file_flags(values)
    values(["x", *arguments])
    return values


def _main(values: flags.FlagValues) -> int:
    """Stands in for a command: it writes the negative."""
    (source,) = values.input
    write_image(values.output, 255 - read_photo(source).rgb)
    print("1 written")
    return OK


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    return content


@pytest.mark.parametrize(
    ("arguments", "sent", "expected"),
    [
        ([], "PNG", "PNG"),
        ([], "WEBP", "WEBP"),
        ([], "AVIF", "PNG"),  # which we do not write
        (["--format=tiff"], "BMP", "TIFF"),
    ],
)
def test_a_picture_goes_through(
    stdin: io.BytesIO,
    capsysbinary: pytest.CaptureFixture[bytes],
    arguments: list[str],
    sent: str,
    expected: str,
) -> None:
    stdin.write(encode_image(PICTURE, file_format=sent))
    stdin.seek(0)
    assert with_pipes(_main, _values("--input=-", "--output=-", *arguments)) == OK
    captured = capsysbinary.readouterr()
    photo = decode_photo(captured.out, name="standard output")
    assert photo.format == expected
    if expected != "WEBP" and sent != "AVIF":
        np.testing.assert_array_equal(photo.rgb, 255 - PICTURE)
    assert captured.err == b"1 written\n", "standard output holds the picture and nothing else"


def test_each_end_may_be_a_file(
    stdin: io.BytesIO, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    stdin.write(encode_image(PICTURE, file_format="PNG"))
    stdin.seek(0)
    assert with_pipes(_main, _values("--input=-", f"--output={tmp_path / 'a.png'}")) == OK
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").rgb, 255 - PICTURE)
    assert capsysbinary.readouterr().out == b"1 written\n"
    assert with_pipes(_main, _values(f"--input={tmp_path / 'a.png'}", "--output=-")) == OK
    photo = decode_photo(capsysbinary.readouterr().out, name="standard output")
    np.testing.assert_array_equal(photo.rgb, PICTURE)


def test_what_is_no_picture_is_said(
    stdin: io.BytesIO, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for content, reason in ((b"", b"an empty file"), (b"text", b"not a picture")):
        stdin.seek(0)
        stdin.write(content)
        stdin.seek(0)
        assert with_pipes(_main, _values("--input=-", "--output=-")) == FAILED
        captured = capsysbinary.readouterr()
        assert captured.out == b""
        assert captured.err.startswith(b"failed: standard input: " + reason)


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space")])
def test_nothing_fails_silently_where_the_picture_cannot_go(
    stdin: io.BytesIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: OSError,
) -> None:
    class Refusing(io.BytesIO):
        def write(self, data: object) -> int:
            raise error

    stdin.write(encode_image(PICTURE, file_format="PNG"))
    stdin.seek(0)
    with (tmp_path / "stdout").open("w") as file:
        output = io.TextIOWrapper(Refusing())
        monkeypatch.setattr(output, "fileno", file.fileno, raising=False)
        monkeypatch.setattr(sys, "stdout", output)
        assert with_pipes(_main, _values("--input=-", "--output=-")) == FAILED
    assert "failed: standard output: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input=-", "--input=a.png", "--output=-"], "give one --input"),
        (["--output=-"], "give one --input"),
        (["--input=-", "--output=folder"], "--input=- has no name to be kept"),
        (["--input=-"], "--input=- has no name to be kept"),
        (["--input=.", "--output=-"], "--input=. is none"),
        (["--input=clip.mp4", "--output=-"], "--input=clip.mp4 is none"),
    ],
)
def test_pipes_that_make_no_sense(stdin: io.BytesIO, arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_pipes(_main, _values(*arguments))


@pytest.mark.parametrize(("end", "message"), [("stdin", "--input=-"), ("stdout", "--output=-")])
def test_a_terminal_is_no_pipe(
    stdin: io.BytesIO, monkeypatch: pytest.MonkeyPatch, end: str, message: str
) -> None:
    monkeypatch.setattr(getattr(sys, end), "isatty", lambda: True)
    with pytest.raises(UsageError, match=message):
        with_pipes(_main, _values("--input=-", "--output=-"))
