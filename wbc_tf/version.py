"""The version of this program, as in setup.py."""

__version__ = "0.1.0"
