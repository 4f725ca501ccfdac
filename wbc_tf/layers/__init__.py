"""Keras layers that the methods share."""
