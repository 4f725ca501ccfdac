"""The sample photos that scikit-image carries, for people who have none at hand."""

from __future__ import annotations

from pathlib import Path

from wbc_tf.files.pictures import write_image

#: People first: name in `skimage.data` -> what we call it.
SAMPLES = {"astronaut": "astronaut", "chelsea": "cat", "coffee": "coffee", "rocket": "rocket"}


def write_samples(folder: Path) -> list[Path]:
    """Writes the sample photos as PNG files.

    Args:
      folder: where to; it is there already.

    Returns:
      The files, in the order of `SAMPLES`.
    """
    from skimage import data

    files = []
    for sample, name in SAMPLES.items():
        files.append(folder / f"{name}.png")
        write_image(files[-1], getattr(data, sample)())
    return files
