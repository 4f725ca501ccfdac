"""What the page shows before a visitor has chosen anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wbc_tf.files.pictures import Photo, read_photo
from wbc_tf.inference.photos import draw_photo
from wbc_tf.inference.settings import DrawSettings
from wbc_tf.page.photos import write_preview

if TYPE_CHECKING:
    from wbc_tf.inference.cartoonizer import Cartoonizer


def draw_example(cartoonizer: Cartoonizer, file: Path) -> tuple[Path, Path]:
    """Previews of an example before and after, so that the page shows at once what it does.

    The first call of a network takes longer than later ones; here no visitor waits for it.

    Args:
      cartoonizer: the model.
      file: from `write_samples`; the previews are written beside it.
    """
    photo: Photo = read_photo(file)
    cartoon = draw_photo(cartoonizer, photo, DrawSettings())
    return (
        write_preview(photo, file.parent, f"{file.stem}-before"),
        write_preview(cartoon, file.parent, f"{file.stem}-after"),
    )
