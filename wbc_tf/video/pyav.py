"""PyAV, by which we speak FFmpeg: an extra of its own, since pictures do without."""

from __future__ import annotations

#: Since then it writes chapters and rotation.
OLDEST = (17, 1)


class PyAVError(ImportError):
    """PyAV is missing or too old; the message says how to get it."""


def check_pyav() -> None:
    """To be asked before any module that imports it is.

    Raises:
      PyAVError: videos cannot be worked on here.
    """
    wanted = ".".join(map(str, OLDEST))
    try:
        import av
    except ImportError as error:
        raise PyAVError(
            f"videos need PyAV ({error}). Get it by: pip install '.[video]' (Python 3.10 or newer)"
        ) from error
    if pyav_version() < OLDEST:
        raise PyAVError(
            f"videos need PyAV {wanted}, which is the first to keep chapters and rotation; here "
            f"is {av.__version__}. Get it by: pip install '.[video]' (Python 3.10 or newer)"
        )


def pyav_version() -> tuple[int, int]:
    """Of the one that is installed."""
    import av

    major, minor = av.__version__.split(".")[:2]
    return int(major), int(minor)
