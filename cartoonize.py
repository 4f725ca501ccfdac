"""Turn photos into cartoons; see ``python cartoonize.py --help``."""

from wbc_tf.cartoonize import run

if __name__ == "__main__":
    run()
