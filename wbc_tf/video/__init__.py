"""Video files, as `wbc_tf.images` is for pictures: read, written and known by their names."""
