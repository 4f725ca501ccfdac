"""CartoonGAN (Chen, Lai, Liu, CVPR 2018)."""
