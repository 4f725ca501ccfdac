"""What the page shows before a visitor has chosen anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wbc_tf.files.pictures import Photo, read_photo, write_image
from wbc_tf.inference.photos import draw_photo
from wbc_tf.inference.settings import DrawSettings
from wbc_tf.page.photos import write_preview

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer

#: scikit-image's sample photos: name in `skimage.data` -> what we call it.
EXAMPLES = {"astronaut": "astronaut", "chelsea": "cat", "coffee": "coffee", "rocket": "rocket"}


def write_examples(folder: Path) -> list[Path]:
    """Photos for visitors who have none at hand.

    Args:
      folder: where to write them.
    """
    from skimage import data

    files = []
    for sample, name in EXAMPLES.items():
        files.append(folder / f"{name}.png")
        write_image(files[-1], getattr(data, sample)())
    return files


def draw_example(cartoonizer: Cartoonizer, file: Path) -> tuple[Path, Path]:
    """Previews of an example before and after, so that the page shows at once what it does.

    The first call of a network takes longer than later ones; here no visitor waits for it.

    Args:
      cartoonizer: the model.
      file: from `write_examples`; the previews are written beside it.
    """
    photo: Photo = read_photo(file)
    cartoon = draw_photo(cartoonizer, photo, DrawSettings())
    return (
        write_preview(photo, file.parent, f"{file.stem}-before"),
        write_preview(cartoon, file.parent, f"{file.stem}-after"),
    )
