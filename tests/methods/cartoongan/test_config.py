from __future__ import annotations

import pytest

from wbc_tf.cli.command_line import run_command
from wbc_tf.methods.cartoongan.config import CartoonGanConfig


def test_the_presets_differ_where_paper_and_program_do():
    released, paper = CartoonGanConfig.presets().values()
    assert released == CartoonGanConfig()
    names = {name for name in vars(paper) if getattr(paper, name) != getattr(released, name)}
    assert names == {"adversarial", "content_weight", "vgg_size", "image_pool", "decay"}
    assert (paper.adversarial, paper.content_weight) == ("minimax", 10.0)


def test_the_released_program_in_numbers():
    """Reference README, section 5: epochs of 676 batches of 8, rates, Adam, sizes."""
    config = CartoonGanConfig()
    assert config.pretrain_steps == pytest.approx(20 * 676, rel=0.01)
    assert config.steps == pytest.approx(200 * 676, rel=0.01)
    assert (config.batch_size, config.patch_size, config.image_pool) == (8, 256, 50)
    assert (config.pretrain_learning_rate, config.learning_rate) == (2e-4, 1e-5)
    assert (config.beta_1, config.beta_2) == (0.5, 0.999)
    assert (config.vgg, config.vgg_layer, config.vgg_size) == ("vgg19", "block4_conv4", 224)
    assert config.generator_settings() == {"channels": 64, "blocks": 8}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edge_low": 300.0}, r"edge_low is 300.*edge_high, 200"),
        ({"edge_blur": 4}, r"edge_blur is 4, and must be an odd number"),
        ({"content_weight": 0}, r"content_weight is 0.*no other loss"),
        ({"adversarial": "log"}, r"adversarial is 'log', and must be one of lsgan, bce, minimax"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CartoonGanConfig(**changes)


@pytest.mark.parametrize(
    ("name", "weight"), [("cartoongan.cfg", "0.000615"), ("cartoongan_short.cfg", "0.0003,")]
)
def test_the_flag_files_resolve(name, weight, root, tmp_path, capsys):
    from wbc_tf import train

    argv = ["train", f"--flagfile={root / 'configs' / name}", "--dry_run"]
    argv += [f"--workdir={tmp_path}", "--photo_dir=p", "--cartoon_dir=c"]
    assert run_command(train.main, train.define_flags("cartoongan"), usage="", argv=argv) == 0
    shown = capsys.readouterr().out
    assert f'"content_weight": {weight}' in shown
    assert '"method": "cartoongan"' in shown
