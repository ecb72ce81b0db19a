"""Every command and every line of Python that the README shows works."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from segmentation.web.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", PROSE, re.MULTILINE)
PATIENCE_SECONDS = 120


@pytest.fixture
def environment(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PORT": str(port), "SQUIGGLE_DATA": str(tmp_path), "PATH": path}


def serves(command, environment):
    """Run a command until the page that it serves has answered; returns what it printed."""
    process = subprocess.Popen(
        command, shell=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    url = f"http://127.0.0.1:{environment['PORT']}"
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, "it ended before it served"
            try:
                with urllib.request.urlopen(url, timeout=5) as page:
                    assert b"Squiggle" in page.read()
                break
            except OSError:
                assert time.monotonic() < deadline, "it does not serve"
                time.sleep(0.2)
    finally:
        os.killpg(process.pid, 15)
        printed = process.communicate(timeout=30)[0]
    assert url in printed
    return printed


def test_the_readme_shows_just_the_commands_that_are_tested_here():
    assert COMMANDS == ["make run", "pip install -r requirements.txt && python app.py", "make test"]


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_run_serves_the_page(environment):
    serves("make run", environment)


def test_pip_and_python_serve_the_page(environment):
    serves("pip install --quiet --disable-pip-version-check -r requirements.txt && python app.py", environment)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_test_runs_lint_types_and_tests():
    plan = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for step in ("ruff check", "ruff format --check", "mypy", "pytest"):
        assert step in plan


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


def test_one_table_lists_every_environment_variable():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    assert rows == [(variable.name, variable.meaning) for variable in VARIABLES]


def test_a_setting_that_cannot_be_read_is_a_sentence_and_not_a_trace(environment):
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment | {"PORT": "eighty"}, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "PORT='eighty'" in run.stderr
    assert "Traceback" not in run.stderr
