"""Reads and writes video files, as `wbc_tf.files` does pictures."""
