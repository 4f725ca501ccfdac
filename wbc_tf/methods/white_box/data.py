"""The folders of a white-box run as batches: photos, cartoons, and what the content is held to."""

from __future__ import annotations

from wbc_tf.additions.targets import content_target
from wbc_tf.data.streams import Source
from wbc_tf.methods.white_box.config import WhiteBoxConfig
from wbc_tf.training.data import FolderData


class WhiteBoxData(FolderData):
    """What a run reads; raises as `FolderData` does.

    "photo", "cartoon", and "content", what the output is held to: in paper and released program the
    photo itself.
    """

    def __init__(self, config: WhiteBoxConfig) -> None:
        super().__init__(config, sides=config.crop_sides)
        own, self.derived = content_target(config, side_photo_dir=config.face_photo_dir)
        self.sources = {
            "photo": self._source(config.photo_dir, config.face_photo_dir, "photo"),
            "cartoon": self._source(config.cartoon_dir, config.face_cartoon_dir, "cartoon"),
            **own,
        }

    def _source(self, scenery: str, faces: str, name: str) -> Source:
        return Source(
            main=self.sampler(scenery, name),
            side=self.sampler(faces, f"face {name}") if faces else None,
        )
