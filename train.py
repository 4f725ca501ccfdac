"""Train a cartoonizer; see ``python train.py --help``."""

from wbc_tf.train import run

if __name__ == "__main__":
    run()
