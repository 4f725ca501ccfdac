"""Picture operations in NumPy and scikit-image, free of TensorFlow."""
