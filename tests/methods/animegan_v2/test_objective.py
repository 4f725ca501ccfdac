from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from wbc_tf.losses.perceptual import VggFeatures, content_l1
from wbc_tf.methods.animegan_v2.config import AnimeGanV2Config
from wbc_tf.methods.animegan_v2.objective import (
    color_difference,
    discriminator_terms,
    discriminator_total,
    generator_terms,
    generator_total,
    gram_matrix,
    style_l1,
    to_yuv,
    total_variation,
)

#: Relative; a float64 derivation agrees with the authors' figures to 4e-7.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def golden(animegan: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """The authors' losses on fixed inputs, and their gradients."""
    with np.load(animegan / "losses.npz") as file:
        yield file


def _logits(golden: np.lib.npyio.NpzFile) -> dict[str, np.ndarray]:
    theirs = {"anime": "real", "generated": "fake", "gray": "gray", "smooth": "smooth"}
    return {ours: golden[f"in/logit_{name}"] for ours, name in theirs.items()}


def _recipe(style: str, golden: np.lib.npyio.NpzFile) -> AnimeGanV2Config:
    """The weights with which the authors' figures were computed."""
    anime, generated, gray, smooth = golden[f"weights/{style}/d_real_fake_gray_smooth"].tolist()
    content, style_, color, tv = golden[f"weights/{style}/con_sty_col_tv"].tolist()
    return AnimeGanV2Config(
        anime_weight=anime,
        generated_weight=generated,
        gray_weight=gray,
        smooth_weight=smooth,
        content_weight=content,
        style_weight=style_,
        color_weight=color,
        tv_weight=tv,
    )


@pytest.mark.parametrize("style", ["hayao", "shinkai", "paprika"])
def test_totals_equal_the_authors(golden: np.lib.npyio.NpzFile, style: str) -> None:
    config = _recipe(style, golden)
    terms = discriminator_terms(**_logits(golden))
    for ours, theirs in zip(terms.values(), ("real", "fake", "gray", "smooth")):
        np.testing.assert_allclose(ours, golden[f"d/{theirs}"], rtol=TOLERANCE)
    total = discriminator_total(terms, config)
    np.testing.assert_allclose(total, golden[f"d/total/{style}"], rtol=TOLERANCE)

    terms = generator_terms(
        golden["in/fake"],
        logits=golden["in/logit_fake"],
        photo=golden["in/photo"],
        photo_features=golden["in/feat_photo"],
        gray_features=golden["in/feat_anime_gray"],
        vgg=lambda _: tf.constant(golden["in/feat_fake"]),
    )
    theirs = {"adversarial": "g_adv", **{n: n for n in ("content", "style", "color", "tv")}}
    for name, term in terms.items():
        np.testing.assert_allclose(term, golden[theirs[name]], rtol=TOLERANCE, err_msg=name)
    total = generator_total(terms, config)
    np.testing.assert_allclose(total, golden[f"g/total/{style}"], rtol=TOLERANCE)


LOSSES = {
    "content/feat_fake": lambda x, g: content_l1(x, g["in/feat_photo"]),
    "style/feat_fake": lambda x, g: style_l1(x, g["in/feat_anime_gray"]),
    "color/fake": lambda x, g: color_difference(x, g["in/photo"]),
    "tv/fake": lambda x, g: total_variation(x),
    "color_extreme/b": lambda x, g: color_difference(x, g["in/extreme_a"]),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_equal_the_authors(golden: np.lib.npyio.NpzFile, name: str) -> None:
    source = "extreme_b" if name == "color_extreme/b" else name.split("/")[1]
    x = tf.constant(golden[f"in/{source}"])

    @tf.function
    def gradient_of(loss: Callable[..., tf.Tensor], x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x, golden)
        return value, tape.gradient(value, x)

    value, gradient = gradient_of(LOSSES[name], x)
    np.testing.assert_allclose(value, golden[name.split("/")[0]], rtol=TOLERANCE)
    _same_gradient(gradient, golden, name)


def test_colours_equal_the_authors(golden: np.lib.npyio.NpzFile) -> None:
    np.testing.assert_allclose(to_yuv(golden["in/photo"])[:1], golden["yuv/photo"], atol=1e-6)
    # Grey has no colour, and white is 1.
    np.testing.assert_allclose(to_yuv(tf.ones([1, 2, 3, 3]))[0, 0, 0], [1, 0, 0], atol=1e-6)


def test_the_gram_matrix_equals_the_authors(golden: np.lib.npyio.NpzFile) -> None:
    gram = gram_matrix(golden["in/feat_fake"])
    theirs = golden["gram/fake"]
    assert np.abs(gram[:, :64] - theirs).max() <= TOLERANCE * np.abs(theirs).max()


def test_on_vgg_features_content_and_style_equal_the_authors(
    golden: np.lib.npyio.NpzFile, shared: Path
) -> None:
    weights = shared / "reference" / "vgg19" / "vgg19_blocks1-3.h5"
    vgg = VggFeatures("vgg19", "block3_conv4", weights=str(weights))
    x = tf.constant(golden["in/fake"])
    targets = {"content": golden["in/photo"], "style": golden["in/anime_gray"]}
    for name, loss in (("content", content_l1), ("style", style_l1)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(vgg(x), vgg(targets[name]))
        np.testing.assert_allclose(value, golden[f"vgg_block3/{name}"], rtol=TOLERANCE)
        _same_gradient(tape.gradient(value, x), golden, f"vgg_block3_{name}/fake", rtol=1e-4)


def _same_gradient(
    gradient: tf.Tensor, golden: np.lib.npyio.NpzFile, name: str, *, rtol: float = TOLERANCE
) -> None:
    found = gradient.numpy().astype(np.float64)  # a float32 sum of squares is 1e-5 off
    np.testing.assert_allclose(np.linalg.norm(found), golden[f"grad_norm/{name}"], rtol=rtol)
    head = golden[f"grad_head/{name}"]
    error = np.linalg.norm(found.ravel()[:64] - head)
    assert error <= rtol * np.linalg.norm(head)
