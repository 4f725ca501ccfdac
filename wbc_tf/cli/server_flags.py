"""Which model server draws, and how often and how long it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

from wbc_tf.cli.command_line import UsageError, on_topic

if TYPE_CHECKING:
    from wbc_tf.serving.remote import Connection


def define_server_flags(values: flags.FlagValues) -> None:
    """Flags for `connected`, and --concurrency."""
    topic = on_topic("Server", values)
    flags.DEFINE_string("server", None, "host:port for gRPC, http://host:port for REST.", **topic)
    flags.DEFINE_string("model_name", "white_box", "Name of the model on the server.", **topic)
    flags.DEFINE_integer(
        "concurrency", 4, "Number of requests sent at the same time.", lower_bound=1, **topic
    )
    flags.DEFINE_integer(
        "retries",
        5,
        "How often to try again while the server cannot be reached or is too busy.",
        lower_bound=0,
        **topic,
    )
    flags.DEFINE_float(
        "deadline",
        120.0,
        "Seconds for one picture, all attempts together.",
        lower_bound=0.001,
        **topic,
    )


def connected(values: flags.FlagValues) -> Connection:
    """A connection to the server, which has answered that it has the model.

    Raises:
      UsageError: the extra for gRPC is missing, or the server or the model is not there.
    """
    from wbc_tf.serving.remote import ServerError, connect, with_retries

    try:
        connection = connect(values.server, model_name=values.model_name)
        with_retries(
            lambda seconds: connection.check(timeout=seconds),
            retries=values.retries,
            deadline=values.deadline,
        )
    except ImportError as error:
        raise UsageError(
            f"gRPC needs the extra [serving]: pip install 'wbc_tf[serving]' ({error}). "
            "REST works without it: --server=http://host:8501"
        ) from error
    except ServerError as error:
        reason = "cannot be reached" if error.passing else "does not serve the model"
        raise UsageError(f"--server={values.server} {reason}: {error}") from error
    return connection
