"""The Dockerfile does what it says, as far as that can be seen without Docker."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from segmentation.web.asset_files import URL_PATH
from tests.support.served import Served

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LINES = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def arguments(instruction):
    return [rest for word, rest in STEPS if word == instruction]


@pytest.fixture
def context(tmp_path):
    """What Docker is given: nothing but what ``.dockerignore`` lets in."""
    assert IGNORED[0] == "*"
    folder = tmp_path / "context"
    for pattern in (line[1:] for line in IGNORED if line.startswith("!")):
        found = list(ROOT.glob(pattern))
        assert found, pattern
        for path in found:
            if path.is_dir():
                shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(exist_ok=True)
                shutil.copy(path, folder)
    return folder


def test_it_is_made_of_instructions_that_there_are():
    words = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "ENV", "EXPOSE", "HEALTHCHECK", "CMD"]
    assert {word for word, _ in STEPS} == set(words)
    assert STEPS[0][0] == "FROM"


def test_it_has_the_python_of_the_project():
    version = (ROOT / ".python-version").read_text().strip()
    assert {image.split()[0] for image in arguments("FROM")} == {f"python:{version}-slim"}


def test_what_it_copies_is_there(context):
    (stage,) = (image.split()[2] for image in arguments("FROM") if " AS " in image)
    for copied in arguments("COPY"):
        source = copied.split()[0]
        assert (context / source).exists() or source == f"--from={stage}", copied


def test_what_docker_is_given_makes_the_very_wheel(context, wheel, tmp_path):
    (step,) = (line for line in arguments("RUN") if line.startswith("pip wheel"))
    command = shlex.split(step.replace("/wheels", str(tmp_path / "wheels")))
    subprocess.run([sys.executable, "-m", *command, "--no-build-isolation", "--quiet"], cwd=context, check=True)
    with zipfile.ZipFile(tmp_path / "wheels" / wheel.name) as theirs, zipfile.ZipFile(wheel) as ours:
        contents = [{info.filename: info.CRC for info in archive.infolist()} for archive in (theirs, ours)]
    assert contents[0] == contents[1]


def test_it_installs_what_is_locked_and_the_wheel_with_nothing_else():
    assert [line for line in arguments("RUN") if line.startswith("pip install")] == [
        "pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock",
        "pip install --no-cache-dir --no-deps --no-index /tmp/wheels/*.whl",
    ]


@pytest.fixture
def variables(environment, tmp_path):
    """Those of the container; its port and its volume are others here."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ours = dict(word.split("=", 1) for line in arguments("ENV") for word in line.split())
    (volume,) = arguments("VOLUME")
    assert ours["SQUIGGLE_DATA"] == volume
    assert [ours["PORT"]] == arguments("EXPOSE")
    return environment | ours | {"PORT": str(port), "SQUIGGLE_DATA": str(tmp_path / "data")}


@pytest.fixture
def command(installed):
    """What the container runs; the environment of these tests has gunicorn as a module alone."""
    program, *rest = json.loads(arguments("CMD")[0])
    return [installed / "python", "-m", program, *rest]


def test_it_does_not_start_before_somebody_said_who_may_use_it(command, variables, tmp_path):
    ended = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "nobody has said who may use it" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_serves_the_page_and_is_healthy_then(command, variables, tmp_path):
    health = json.loads(arguments("HEALTHCHECK")[0].removeprefix("CMD "))
    with Served(command, tmp_path, variables | {"SQUIGGLE_OPEN": "1"}, f"127.0.0.1:{variables['PORT']}") as server:
        while subprocess.run(health, env=variables, stderr=subprocess.DEVNULL, check=False).returncode:
            assert server.process.poll() is None
        assert json.loads(server.ask("GET", "/ready"))["ready"] is True
        assert server.ask("GET", f"{URL_PATH}/style/base.css")
