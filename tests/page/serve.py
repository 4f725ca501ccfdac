"""A page whose models need no TensorFlow: ``python -m tests.page.serve --port=N``."""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from pathlib import Path

from tests.page.stand_ins import stand_in
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.page.limits import Limits
from wbc_tf.page.models import Offer
from wbc_tf.page.server import served


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--until", type=Path, help="the third drawing waits until this file exists")
    parser.add_argument("--auth", help="user:password")
    options = parser.parse_args()
    drawings = itertools.count(1)

    def wait() -> None:
        if next(drawings) > 2 and options.until:
            while not options.until.exists():
                time.sleep(0.05)

    # The first has every setting, the second none.
    first = stand_in(wait=wait, delta=1.0, match_brightness=True)
    offers = {"one": Offer("one", first), "two": Offer("two", stand_in())}
    users = [tuple(options.auth.split(":"))] if options.auth else []
    try:
        with interruptible(), served(offers, Limits(), port=options.port, users=users) as url:
            print(f"The page is at {url}", flush=True)
            threading.Event().wait()
    except Interrupted:
        pass


if __name__ == "__main__":
    main()
