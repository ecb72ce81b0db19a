"""How exactly the borders of strokes are met; loads nothing, so that the kernels and their reference can say it."""

SLACK = 1e-9
"""Added to squared distances, so that pixels exactly on the border count as inside whatever the rounding."""

ROUNDING = 1e-3
"""Safely more than the rounding errors of the computed ends of a row, in pixels."""
