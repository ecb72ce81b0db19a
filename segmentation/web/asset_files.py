"""The page's scripts, styles and pictures: where they lie, and the address that browsers keep them under.

The address names their content. So a browser that has them does not ask again, and never mixes two versions: what a
script imports is found from the script's own address.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED, _CHECKOUT = _PACKAGE / "assets", _PACKAGE.parents[1] / "assets"

FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""Inside the installed package; in a checkout beside it."""

KEPT_SECONDS = 365 * 24 * 3600

ROOT_SCRIPT = "start.mjs"
"""The script of a session's page that imports all others."""

ALL_BUT_ROOT_SCRIPT = r"^(?!start\.mjs$).*\.mjs$"
"""What Dash is to leave out: it would put every module into the page, at another address, and so run it twice."""

# Browsers run a module only under its own type, which not every system knows.
mimetypes.add_type("text/javascript", ".mjs")


def fingerprint(folder: Path) -> str:
    """Tells the content of a folder from any other: names, and what is in the files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


URL_PATH = f"/assets/{fingerprint(FOLDER)}"
"""Where the files are served, below the application."""


def modules_of(folder: str) -> list[str]:
    """The modules that lie in a folder of the files, or below it."""
    return sorted(path.relative_to(FOLDER).as_posix() for path in (FOLDER / folder).rglob("*.mjs"))


def session_page_modules() -> list[str]:
    """The modules that the root script of a session's page imports, itself or through others."""
    return [name for name in modules_of(".") if "/" in name]


def preloads(addresses: Iterable[str]) -> str:
    """Lets a browser fetch modules at once, where it would find one only when it has read the one before."""
    return "\n".join(f'<link rel="modulepreload" href="{address}">' for address in addresses)
