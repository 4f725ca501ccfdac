"""The flags of every command that turns files into files."""

from __future__ import annotations

from absl import flags

from wbc_tf.files.pictures import FORMATS


def define_job_flags(values: flags.FlagValues) -> None:
    """What `wbc_tf.inference.jobs.plan_jobs` is asked."""
    flags.DEFINE_multi_string(
        "input", [], "Picture, folder or glob pattern; repeatable.", flag_values=values
    )
    flags.DEFINE_string(
        "output", None, "Folder to write to; or a file name for one input.", flag_values=values
    )
    flags.DEFINE_boolean(
        "recursive", False, "Look into folders' folders too, keep their tree.", flag_values=values
    )
    flags.DEFINE_enum(
        "format",
        "same",
        ["same", *(name.lower() for name in FORMATS)],
        "File format of the results; 'same' keeps each photo's own.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "overwrite",
        False,
        "Make results again that are already there; else they are skipped.",
        flag_values=values,
    )
