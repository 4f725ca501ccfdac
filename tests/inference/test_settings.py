from __future__ import annotations

from wbc_tf.inference.settings import DrawSettings, VideoSettings


def test_what_is_left_open_is_left_to_the_model() -> None:
    assert DrawSettings().arguments() == {}
    chosen = DrawSettings(short_side=0, output_size="working", strength=0.0, delta=0.5)
    assert chosen.arguments() == {
        "short_side": 0,
        "output_size": "working",
        "strength": 0.0,
        "delta": 0.5,
    }


def test_videos_are_drawn_like_photos_unless_asked_otherwise() -> None:
    assert VideoSettings().draw == DrawSettings()
