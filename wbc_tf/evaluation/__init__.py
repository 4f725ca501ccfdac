"""Figures that say how good cartoons are, from features and from the pictures themselves."""
