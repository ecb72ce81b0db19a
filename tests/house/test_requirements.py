"""What is installed is what is named, and what is locked is what may be installed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = re.findall(r"^([\w.\[\],-]+==[^\\]+?) \\\n((?:    --hash=.*\n)+)", LOCK, re.MULTILINE)


def named():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield Requirement(line)


def locked():
    """The versions by name that the lock has for some system."""
    versions = {}
    for pin, _ in PINS:
        requirement = Requirement(pin)
        (version,) = requirement.specifier
        versions.setdefault(canonicalize_name(requirement.name), []).append(version.version)
    return versions


@pytest.mark.parametrize("requirement", list(named()), ids=lambda requirement: requirement.name)
def test_the_lock_is_in_step_with_the_requirements(requirement):
    versions = locked()[canonicalize_name(requirement.name)]
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_locked_version_has_hashes():
    pinned = {line for line in LOCK.splitlines() if "==" in line and not line.startswith(("#", " "))}
    assert len(pinned) == len(PINS) > 40
    for pin, hashes in PINS:
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}", hashes), pin


def test_what_is_installed_fits_together():
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_host_gets_the_python_that_the_project_needs():
    major, minor = (ROOT / ".python-version").read_text().split(".")
    assert (int(major), int(minor)) >= (3, 11)


def test_the_manifest_of_the_host_names_settings_that_there_are(monkeypatch):
    from segmentation.web.settings import meanings_of_variables, settings_from_environment

    manifest = json.loads((ROOT / "app.json").read_text())
    for name, about in manifest["env"].items():
        assert name in meanings_of_variables()
        monkeypatch.setenv(name, about.get("value", "x"))
    settings = settings_from_environment()
    assert settings.max_pixels == 16_000_000
    assert settings.processes == 1
    assert "WEB_CONCURRENCY" in manifest["env"], "the host's buildpack would choose another number"
    assert manifest["env"]["SQUIGGLE_PASSWORD"]["required"]


def test_the_manifest_of_the_host_has_the_processes_of_the_procfile_and_no_worker_unless_it_is_wanted():
    formation = json.loads((ROOT / "app.json").read_text())["formation"]
    lines = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    assert formation.keys() == lines - {"release"}
    assert {name: process["quantity"] for name, process in formation.items()} == {"web": 1, "worker": 0}
