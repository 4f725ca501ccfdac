"""The page in the browser: ``python -m wbc_tf.app``."""

from __future__ import annotations

import importlib.util
import sys
import threading

from absl import flags

from wbc_tf.cli.command_line import OK, UsageError, new_flags, on_topic, run_command
from wbc_tf.cli.config_flags import config_from_flags, define_config_flags
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.page.access import users
from wbc_tf.page.limits import Limits
from wbc_tf.video.formats import PyAVError, check_pyav

USAGE = """
Open a page on which photos and videos become cartoons.

  python -m wbc_tf.app
  python -m wbc_tf.app --model=models/hayao --port=8000
  python -m wbc_tf.app --host=0.0.0.0 --auth_file=users.txt

The page is at http://127.0.0.1:7860. Uploads and results lie in a private folder; they are removed
after an hour and when the page is closed with Ctrl-C. Nothing is sent to other servers.
"""


def define_flags() -> flags.FlagValues:
    """The command's flags."""
    values = new_flags()
    topic = on_topic("The page", values)
    flags.DEFINE_multi_string(
        "model",
        [],
        "Model directory or .onnx file to offer before those in pretrained_models/. May be given "
        "several times.",
        **topic,
    )
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.", **topic)
    flags.DEFINE_integer("port", 7860, "Port to listen on.", 1, 65535, **topic)
    topic = on_topic("Who may use it", values)
    flags.DEFINE_string("auth", None, "user:password that the page asks for.", **topic)
    flags.DEFINE_string("auth_file", None, "File with a line user:password for each user.", **topic)
    flags.DEFINE_boolean("public", False, "Let everyone in who can reach --host.", **topic)
    flags.DEFINE_string("embedded_by", None, "Site that may show the page in a frame.", **topic)
    define_config_flags(Limits, values)
    return values


def main(values: flags.FlagValues) -> int:
    """Serves the page until it is interrupted; returns the exit status."""
    try:
        limits = config_from_flags(Limits(), values)
        allowed = users(
            values.host, auth=values.auth, auth_file=values.auth_file, public=values.public
        )
        check_pyav()
    except (ValueError, OSError, PyAVError) as error:
        raise UsageError(str(error)) from error
    if importlib.util.find_spec("gradio") is None:
        raise UsageError("the page needs Gradio: pip install '.[app,video]'")

    from wbc_tf.artefact.model_directory import ModelNotFoundError
    from wbc_tf.page.models import load_offers
    from wbc_tf.page.server import served

    try:
        with interruptible():
            offers = load_offers(values.model)
            with served(
                offers,
                limits,
                host=values.host,
                port=values.port,
                users=allowed,
                embedded_by=values.embedded_by,
            ) as url:
                print(f"The page is at {url} (Ctrl-C ends it)", flush=True)
                threading.Event().wait()
    except (ModelNotFoundError, OSError) as error:
        raise UsageError(str(error)) from error
    except Interrupted:
        print("ended; all files are removed", file=sys.stderr)
    return OK


def run() -> None:
    """Console entry point."""
    sys.exit(run_command(main, define_flags(), usage=USAGE))


if __name__ == "__main__":
    run()
