"""The authors' TensorFlow 1 variable names and ours, side by side."""

from __future__ import annotations

# tf.contrib.slim numbers the convolutions of the U-Net in the order they were called.
_CONVOLUTIONS = {
    "generator/Conv": "stem",
    "generator/Conv_1": "down_half",
    "generator/Conv_2": "conv_half",
    "generator/Conv_3": "down_quarter",
    "generator/Conv_4": "conv_quarter",
    "generator/block_0/conv1": "block_0/conv1",
    "generator/block_0/conv2": "block_0/conv2",
    "generator/block_1/conv1": "block_1/conv1",
    "generator/block_1/conv2": "block_1/conv2",
    "generator/block_2/conv1": "block_2/conv1",
    "generator/block_2/conv2": "block_2/conv2",
    "generator/block_3/conv1": "block_3/conv1",
    "generator/block_3/conv2": "block_3/conv2",
    "generator/Conv_5": "squeeze_quarter",
    "generator/Conv_6": "merge_half",
    "generator/Conv_7": "squeeze_half",
    "generator/Conv_8": "merge_full",
    "generator/Conv_9": "to_rgb",
}

#: released variable name -> name of the variable in our generator
GENERATOR = {
    f"{released}/{part_released}": f"{ours}/{part}"
    for released, ours in _CONVOLUTIONS.items()
    for part_released, part in (("weights", "kernel"), ("biases", "bias"))
}

# The authors trained on OpenCV's BGR. These two kernels are where colour enters and leaves: input
# channels are kernel axis 2, output channels axis 3 (and the only axis of a bias).
FIRST_KERNEL = "generator/Conv/weights"
LAST_KERNEL = "generator/Conv_9/weights"
LAST_BIAS = "generator/Conv_9/biases"
