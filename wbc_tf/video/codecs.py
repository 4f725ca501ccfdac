"""How the picture is compressed: five codecs, one scale of speed."""

from __future__ import annotations

from dataclasses import dataclass

#: From the fastest to the smallest file, in x264's words; every codec's own scale is mapped to it.
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)


@dataclass(frozen=True)
class Codec:
    """A way to compress the picture.

    Attributes:
      encoder: FFmpeg's name.
      crf: the default quality, to the eye the source's; lower is better. None: it is lossless.
      worst: the largest crf.
      pixels: what it stores, as FFmpeg's pixel format.
      odd_pixels: the same for a picture with an odd side.
      shapes: its stream says by itself whether pixels are squares.
      tag: how it is to be called in MP4, where that is not what FFmpeg calls it.
    """

    encoder: str
    crf: int | None
    worst: int
    pixels: str = "yuv420p"
    odd_pixels: str = "yuv420p"
    shapes: bool = False
    tag: str | None = None


# H.264 and H.265 with halved chroma know even sides only, in what they show as in what they store:
# padding could not be cropped off again. With full chroma they know all sides. Apple's players know
# H.265 by the name hvc1 alone. FFV1 is for those who want what was drawn to the last bit: RGB.
CODECS = {
    "h264": Codec("libx264", 18, 51, odd_pixels="yuv444p", shapes=True),
    "hevc": Codec("libx265", 20, 51, odd_pixels="yuv444p", shapes=True, tag="hvc1"),
    "vp9": Codec("libvpx-vp9", 24, 63),
    "av1": Codec("libsvtav1", 24, 63),
    "ffv1": Codec("ffv1", None, 0, pixels="bgr0", odd_pixels="bgr0"),
}


def encoder_options(
    codec: str, *, crf: int | None = None, preset: str = "medium", reorder: bool = True
) -> dict[str, str]:
    """What FFmpeg's encoder is told.

    Args:
      codec: a key of `CODECS`.
      crf: quality; None takes the codec's default.
      preset: one of `PRESETS`.
      reorder: frames may be stored in another order than they are shown (B frames).

    Raises:
      ValueError: a quality that the codec does not have.
    """
    kind = CODECS[codec]
    if kind.crf is None:
        if crf is not None:
            raise ValueError(f"{codec} is lossless and has no crf")
        return {"level": "3", "slicecrc": "1"}
    crf = kind.crf if crf is None else crf
    if not 0 <= crf <= kind.worst:
        raise ValueError(f"the crf of {codec} is from 0 to {kind.worst}, not {crf}")
    options = {"crf": str(crf)}
    speed = len(PRESETS) - 1 - PRESETS.index(preset)
    if codec == "vp9":
        return {**options, "b": "0", "deadline": "good", "cpu-used": str(speed), "row-mt": "1"}
    if codec == "av1":
        return {**options, "preset": str(speed + 4)}
    if codec == "hevc":
        # Its log goes past FFmpeg's, straight to the terminal.
        options["x265-params"] = "log-level=none" + ("" if reorder else ":bframes=0")
    elif not reorder:
        options["bf"] = "0"
    return {**options, "preset": preset}
