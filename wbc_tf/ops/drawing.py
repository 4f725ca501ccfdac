"""A photo made to look drawn by filters: areas of few tones, thin ink lines on edges and borders.

The areas and their tones are in `wbc_tf.ops.tones`, what follows the edges in `wbc_tf.ops.flow`.
All of it but the removal of specks is a local function of the picture, so that a network can learn
it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wbc_tf.ops import flow, tones

#: The wide Gaussian of the difference, as a multiple of the narrow one: with 1.6 the difference
#: comes close to a Laplacian (Marr, Hildreth, 1980).
RATIO = 1.6
#: Deviation of the Gaussian over the structure tensor, in pixels: below 2 the flow follows grain,
#: far above 2 the lines leave out sharp bends.
_FLOW_BLUR = 2.0
#: Ink below this is no line when specks are counted.
_VISIBLE = 0.25
#: Of the bilateral filter under the lines: grain would bend the flow and ink by itself, and a wider
#: one takes the eyes of small faces away. In pixels and in CIELAB units.
_FINE = 1.5, 4.0
#: Of the bilateral filter after the contours were rounded, which makes areas even again.
_EVEN = 2.0, 6.0


@dataclass(frozen=True)
class DrawingStyle:
    """How a picture is drawn. Lengths are in pixels, colours and differences in CIELAB units.

    Attributes:
      blur: deviation of the areas' bilateral filters.
      blur_range: colour differences that these smooth away.
      passes: how often the areas are smoothed, across their edges and along them.
      along: deviation of the Gaussian along the edges.
      gamma: the power that lightness is taken to; below 1 for lighter pictures.
      black: lightness that becomes 0.
      white: lightness that becomes 100.
      levels: steps of lightness between black and white.
      soft_step: sharpness of these steps in soft shades, see `tones.quantise`.
      sharp_step: their sharpness on steep shades.
      steep: the change of lightness per pixel from which a shade is steep.
      saturation: what colours are multiplied by.
      warmth: how far lights go to yellow and shadows to blue.
      contour: deviation of the Gaussian along the tones' contours, which rounds them.
      crispness: how sharp the contours become after that, see `tones.sharpen`.
      ink: how dark the lines are: 0 leaves them out, 1 is black.
      line_width: deviation of the narrow Gaussian across the lines; lines are about twice as wide.
      line_length: deviation of the Gaussian along the lines.
      line_threshold: difference from which on an edge of the photo is inked.
      border_threshold: difference from which on a border between areas is inked.
      line_steepness: how fast ink gets dense beyond the threshold.
      least_line: lines of fewer pixels are left out.
    """

    blur: float = 2.5
    blur_range: float = 7.5
    passes: int = 2
    along: float = 1.5
    gamma: float = 0.83
    black: float = 3.0
    white: float = 96.0
    levels: int = 6
    soft_step: float = 9.0
    sharp_step: float = 16.0
    steep: float = 1.2
    saturation: float = 1.2
    warmth: float = 4.0
    contour: float = 2.5
    crispness: float = 3.0
    ink: float = 0.85
    line_width: float = 0.7
    line_length: float = 4.0
    line_threshold: float = 0.6
    border_threshold: float = 1.8
    line_steepness: float = 0.6
    least_line: int = 20


def draw(images: np.ndarray, style: DrawingStyle) -> np.ndarray:
    """Draws pictures: areas of few tones, with ink lines on edges and borders.

    Args:
      images: float32 [N, H, W, 3], RGB in [-1, 1].
      style: see there.

    Returns:
      float32 [N, H, W, 3] in [-1, 1].

    Raises:
      ValueError: another shape.
    """
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"expected pictures [N, H, W, 3], got {list(images.shape)}")
    drawn = [_drawn(np.ascontiguousarray((image + 1) / 2, np.float32), style) for image in images]
    return np.clip(2 * np.stack(drawn) - 1, -1, 1).astype(np.float32)


def areas(lab: np.ndarray, style: DrawingStyle) -> np.ndarray:
    """The picture without lines: smooth areas in few tones; CIELAB, float32 [H, W, 3]."""
    for _ in range(style.passes):
        lab = tones.smooth(lab, passes=1, sigma=style.blur, range_sigma=style.blur_range)
        lab = _along_edges(lab, style.along)
        lab = tones.smooth(lab, passes=1, sigma=style.blur, range_sigma=style.blur_range)
    light = tones.curve(lab[..., 0], gamma=style.gamma, black=style.black, white=style.white)
    light = tones.quantise(
        light,
        levels=style.levels,
        sharpness=(style.soft_step, style.sharp_step),
        slope=style.steep,
    )
    flat = tones.colour(light, lab[..., 1:], saturation=style.saturation, warmth=style.warmth)
    sigma, range_sigma = _EVEN
    flat = _along_edges(flat, style.contour)
    flat = tones.smooth(flat, passes=2, sigma=sigma, range_sigma=range_sigma)
    return tones.sharpen(flat, amount=style.crispness)


def ink(lab: np.ndarray, flat: np.ndarray, style: DrawingStyle) -> np.ndarray:
    """How dense the ink is at each pixel, float32 [H, W] in [0, 1].

    Lines stand on the dark side of the photo's edges in lightness, and on the areas' borders in
    lightness and colour, which the photo alone hardly shows.

    Args:
      lab: the photo, CIELAB [H, W, 3].
      flat: its `areas`.
      style: see `DrawingStyle`.
    """
    sigma, range_sigma = _FINE
    fine = tones.smooth(lab, passes=1, sigma=sigma, range_sigma=range_sigma)
    tangents = flow.edge_tangents(fine, sigma=_FLOW_BLUR)
    difference = flow.difference_across(
        np.concatenate([fine[..., :1], flat], -1), tangents, sigma=style.line_width, ratio=RATIO
    )
    edges, borders = difference[..., 0], np.minimum(difference[..., 1:], 0).sum(-1)
    both = flow.blur_along(np.dstack([edges, borders]), tangents, sigma=style.line_length)
    lines = np.maximum(
        density(both[..., 0], threshold=style.line_threshold, steepness=style.line_steepness),
        density(both[..., 1], threshold=style.border_threshold, steepness=style.line_steepness),
    )
    return remove_specks(lines, least=style.least_line)


def density(difference: np.ndarray, *, threshold: float, steepness: float) -> np.ndarray:
    """XDoG's ink: none down to minus the threshold, then denser and denser, up to 1.

    Winnemoeller, Kyprianidis, Olsen, "XDoG" (Computers & Graphics 2012), equation 5, with an
    absolute threshold: their relative one, tau, inks the grain of dark areas.
    """
    return np.tanh(steepness * np.maximum(-difference - threshold, 0))


def remove_specks(lines: np.ndarray, *, least: int) -> np.ndarray:
    """The lines without connected pieces of fewer than `least` pixels; float32 [H, W]."""
    visible = (lines > _VISIBLE).astype(np.uint8)
    _, labels, figures, _ = cv2.connectedComponentsWithStats(visible, connectivity=8)
    stays = figures[:, cv2.CC_STAT_AREA] >= least
    stays[0] = True  # the background, with the faint ends of lines
    return (lines * stays[labels]).astype(np.float32)


def _along_edges(lab: np.ndarray, sigma: float) -> np.ndarray:
    return flow.blur_along(lab, flow.edge_tangents(lab, sigma=_FLOW_BLUR), sigma=sigma)


def _drawn(rgb: np.ndarray, style: DrawingStyle) -> np.ndarray:
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    flat = areas(lab, style)
    paper = 1 - style.ink * ink(lab, flat, style)[..., None]
    return cv2.cvtColor(flat, cv2.COLOR_LAB2RGB) * paper
