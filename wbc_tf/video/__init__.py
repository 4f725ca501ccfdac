"""Video files, as `wbc_tf.files` is for pictures: read, written and known by their names."""
