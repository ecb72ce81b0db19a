"""The numbers of each run, kept as JSON with its date, commit and machine, so that a trend can be read.

A file in ``benchmarks/results`` holds one run of one part: ``part``, ``title``, ``begun`` (UTC), ``commit``,
``changed`` (whether the checkout differed from the commit), ``machine``, ``packages``, and the ``rows`` as measured.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
PACKAGES = ("dash", "plotly", "numba", "numpy", "scikit-image", "scikit-learn")


def measured(part: str, title: str, measure: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """Measure a part; its rows, with when, of what and on what they were measured."""
    run = {
        "part": part,
        "title": title,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": machine(),
        "packages": {name: version(name) for name in PACKAGES},
    }
    return run | {"rows": measure()}


def machine() -> dict[str, Any]:
    """What it was measured on; ``load`` is how many processes wanted its cores in the last minute."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return {
        "cores": os.cpu_count(),
        "processor": found[1] if found else platform.processor(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _git(*arguments: str) -> str:
    """What git tells of the checkout; empty where there is none."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def write(run: Mapping[str, Any], folder: Path) -> Path:
    """Keep a run; the file's name begins with the part, so that its runs stand one below the other by date."""
    folder.mkdir(exist_ok=True)
    day, commit = run["begun"][:10], run["commit"][:9] or "unknown"
    file = folder / f"{run['part']}-{day}-{commit}.json"
    file.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def sentence(run: Mapping[str, Any]) -> str:
    """When and on what, for people."""
    on = run["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in run["packages"].items())
    month = datetime.fromisoformat(run["begun"]).strftime("%B %Y")
    return f"{month}, {on['cores']} cores of {on['processor']}, Python {on['python']}, {packages}."
