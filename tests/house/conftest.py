"""An environment that has Squiggle's wheel and no checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_THIS_RUN = ("PYTHON", "SQUIGGLE", "PORT", "HOST", "DATABASE", "WEB_")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--check-build-dependencies", "-w", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """The folder of programs of an environment that has the wheel; what it depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    at = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", at))
    borrowed = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    (packages / "borrowed.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in borrowed))
    programs = Path(sysconfig.get_path("scripts", "venv", at))
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return programs


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory):
    """A working directory whose files are named like modules that Squiggle imports."""
    folder = tmp_path_factory.mktemp("else where")
    (folder / "segmentation").mkdir()
    for name in ("segmentation/__init__.py", "queue.py", "json.py"):
        (folder / name).write_text("raise SystemExit('imported from the working directory')\n")
    return folder


@pytest.fixture(scope="session")
def environment(installed, tmp_path_factory):
    """The variables of a person's shell, without those of this run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_RUN)}
    kernels = clean.get("NUMBA_CACHE_DIR") or str(tmp_path_factory.mktemp("kernels"))
    return clean | {"PATH": f"{installed}{os.pathsep}{clean['PATH']}", "NUMBA_CACHE_DIR": kernels}
