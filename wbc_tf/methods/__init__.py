"""Cartoonization methods, one package each; they never import one another."""
