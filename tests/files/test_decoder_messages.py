from __future__ import annotations

import io
import sys
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from wbc_tf.files.decoder_messages import collected_messages

_LIBTIFFS = "ZIPDecode: Decoding error at scanline 0, incorrect data check"


def _broken_tiff() -> bytes:
    content = io.BytesIO()
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(picture).save(content, "TIFF", compression="tiff_adobe_deflate")
    return content.getvalue().replace(bytes(picture[0, :2]), bytes(6), 1)


def _decode(content: bytes) -> None:
    with pytest.raises(OSError, match="decoder error"), Image.open(io.BytesIO(content)) as opened:
        opened.load()


@pytest.mark.skipif(sys.platform == "win32", reason="libtiff is not reached there")
def test_libtiff_is_heard_and_what_nobody_collects_is_printed_as_before(
    capfd: pytest.CaptureFixture[str],
) -> None:
    content = _broken_tiff()
    with collected_messages() as messages:
        _decode(content)
        _decode(content)
    assert messages == [_LIBTIFFS], "each message once"
    assert capfd.readouterr().err == ""
    _decode(content)
    assert _LIBTIFFS in capfd.readouterr().err


def test_each_thread_hears_its_own_and_warnings_of_others_go_on() -> None:
    heard = {}
    everyone = threading.Barrier(2)

    def decode(name: str) -> None:
        with collected_messages() as messages:
            everyone.wait()  # all are inside
            for _ in range(2):
                warnings.warn(f"{name}  is\nodd.", stacklevel=1)
            everyone.wait()
        heard[name] = messages

    filters = list(warnings.filters)
    threads = [threading.Thread(target=decode, args=(name,)) for name in ("a", "b")]
    with warnings.catch_warnings(record=True) as others:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with collected_messages() as messages:
            pass
        warnings.warn("this one", stacklevel=1)
    assert heard == {"a": ["a is odd"], "b": ["b is odd"]}
    assert messages == []
    assert len(others) == 1
    assert warnings.filters == filters


def test_a_flood_is_cut_short() -> None:
    with collected_messages() as messages:
        for number in range(100):
            warnings.warn(f"odd {number}", stacklevel=1)
    assert messages == [f"odd {number}" for number in range(5)]
