"""AnimeGANv2: photos in the style of three animation directors (Chen, Liu & Chen, ISICA 2019)."""
