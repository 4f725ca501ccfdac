"""How good cartoons are, in figures: of features, and of the pictures themselves."""
