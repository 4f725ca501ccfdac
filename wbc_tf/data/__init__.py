"""Image folders to streams of crops, each batch a pure function of (seed, step)."""
