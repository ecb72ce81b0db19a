"""Where the page's scripts, styles and pictures lie: inside the installed package, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED, _CHECKOUT = _PACKAGE / "assets", _PACKAGE.parents[1] / "assets"

ASSETS = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""The folder that is served as ``/assets``."""
