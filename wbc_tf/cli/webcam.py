"""A number as --input is a webcam, shown live."""

from __future__ import annotations

from absl import flags

from wbc_tf.cli.command_line import OK, UsageError
from wbc_tf.cli.interrupts import Interrupted, interruptible
from wbc_tf.cli.model_flags import load_cartoonizer
from wbc_tf.cli.picture_flags import draw_settings


def asks_for_webcam(values: flags.FlagValues) -> bool:
    """Whether the only input is the number of a webcam."""
    if len(values.input) != 1 or not values.input[0].isdigit():
        return False
    from wbc_tf.video.webcam import is_webcam  # imports OpenCV

    return is_webcam(values.input[0])


def show_webcam(values: flags.FlagValues) -> int:
    """Shows it until it is closed; returns the exit status.

    Raises:
      UsageError: --output is given, there is no such camera, or no window can be opened.
    """
    from wbc_tf.video.webcam import WebcamError, check_display, preview

    if values.output:
        raise UsageError(f"--input={values.input[0]} is a webcam, which is shown and not stored")
    try:
        check_display()
        with interruptible():
            cartoonizer = load_cartoonizer(values)
            arguments = draw_settings(values).arguments()
            preview(
                lambda rgb: cartoonizer(rgb, **arguments),
                int(values.input[0]),
                stabilize=values.stabilize,
            )
    except WebcamError as error:
        raise UsageError(str(error)) from error
    except Interrupted:
        pass  # a usual way to end the preview
    return OK
