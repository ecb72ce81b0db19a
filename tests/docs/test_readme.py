"""Every command that the README and CONTRIBUTING show works, and the figures are those that were measured."""

import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from segmentation.web.settings import meanings_of_variables
from tests.support import PATIENCE_SECONDS
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


@pytest.fixture
def environment(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PORT": str(free_port()), "SQUIGGLE_DATA": str(tmp_path), "PATH": path}


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
                browser = HTTPConnection("127.0.0.1", int(environment["PORT"]), timeout=PATIENCE_SECONDS)
                with closing(browser):
                    browser.request("GET", "/")
                    answer = browser.getresponse()
                    if answer.status == 302:
                        answer.read()
                        browser.request("GET", answer.headers["Location"])
                        answer = browser.getresponse()
                    assert b"Squiggle" in answer.read()
                break
            except OSError:
                assert time.monotonic() < deadline, "it does not serve"
                time.sleep(0.2)
    finally:
        os.killpg(process.pid, 15)
        printed = process.communicate(timeout=PATIENCE_SECONDS)[0]
    assert url in printed
    return printed


def commands(document):
    """The lines of a document that a person types."""
    return re.findall(r"^    (\S.*)$", (ROOT / document).read_text(), re.MULTILINE)


def test_only_commands_that_are_tested_here_are_shown():
    assert commands("README.md") == ["make run", "make test"]
    assert commands("CONTRIBUTING.md") == ["pip install -r requirements.txt && python app.py"]


def test_the_readme_names_the_installation_that_is_tested_with_the_wheel():
    assert "`pip install .`, the command `squiggle`" in README


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_run_serves_the_page(environment):
    serves("make run", environment)


@pytest.mark.slow
def test_pip_and_python_serve_the_page(environment):
    serves("pip install --quiet --disable-pip-version-check -r requirements.txt && python app.py", environment)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_test_runs_lint_types_and_tests():
    plan = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for step in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert step in plan


def test_one_table_lists_every_environment_variable():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    assert rows == list(meanings_of_variables().items())


@pytest.mark.slow
def test_a_setting_that_cannot_be_read_is_a_sentence_and_not_a_trace(environment):
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment | {"PORT": "eighty"}, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "PORT='eighty'" in run.stderr
    assert "Traceback" not in run.stderr
