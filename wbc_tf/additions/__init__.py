"""What we add to the methods' recipes: other content targets, more losses, other rates.

All of it is off in the recipes of the papers and of the released programs. The embedded model is
trained with it.
"""
