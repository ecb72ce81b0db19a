"""The version of Squiggle."""

__version__ = "0.1.0"
