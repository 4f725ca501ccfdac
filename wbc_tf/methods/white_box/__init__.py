"""White-box cartoon representations (Wang & Yu, CVPR 2020)."""
