from __future__ import annotations

from wbc_tf.files.formats import FORMATS, format_of


def test_format_of_knows_every_extension_that_we_write() -> None:
    for name, extension in FORMATS.items():
        assert format_of(f"a/b{extension}") == name
        assert format_of(f"B{extension.upper()}") == name
    assert (format_of("a.jpeg"), format_of("a.tiff")) == ("JPEG", "TIFF")
