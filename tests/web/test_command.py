"""The installed command: what it understands, and what it refuses in a sentence."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from segmentation.web import command
from segmentation.web.command import main, usable_port
from segmentation.web.serve import page_url

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "eighty"], "'eighty' is not a port"),
        (["--port", "65536"], "'65536' is not a port"),
        (["--port", "8051", "info", "cells.squiggle"], "--port is for serving the page, which info does not do"),
        (["--no-browser", "info", "cells.squiggle"], "--no-browser is for serving the page"),
        (["serve"], "invalid choice: 'serve'"),
    ],
)
def test_what_is_not_understood_ends_with_status_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_command_is_run_as_python_m_segmentation_runs_it(capsys):
    assert main(["info", "nowhere.squiggle"]) == 1
    assert capsys.readouterr().err == "squiggle: No such file or directory: nowhere.squiggle.\n"


def test_help_speaks_of_the_page_and_of_commands_as_they_are_typed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "squiggle train cells.tif" in told
    assert "--no-browser" in told
    assert "python -m" not in told


def test_a_port_that_is_free_is_used(taken):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    assert usable_port("127.0.0.1", free, port_is_said=True) == free


def test_a_port_that_another_server_is_about_to_leave_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as leaving:
        port = leaving.getsockname()[1]
        timer = threading.Timer(0.5, leaving.close)
        timer.start()
        assert usable_port("127.0.0.1", port, port_is_said=True) == port
        timer.join()


def test_where_the_usual_port_is_taken_a_free_one_is_used_unless_that_very_one_is_asked_for(taken, monkeypatch):
    monkeypatch.setattr(command, "PORT_PATIENCE_SECONDS", 0.3)
    chosen = usable_port("127.0.0.1", taken, port_is_said=False)
    assert chosen != taken
    with pytest.raises(SystemExit, match=f"port {taken} is taken. Name another with --port"):
        usable_port("127.0.0.1", taken, port_is_said=True)


def test_an_address_of_another_machine_is_refused_in_a_sentence():
    with pytest.raises(SystemExit, match=r"cannot listen on 192\.0\.2\.1, port 8050"):
        usable_port("192.0.2.1", 8050, port_is_said=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--host", "0.0.0.0"], {}, "nobody has said who may use it"),
        (["--data", "/proc/nowhere"], {}, "/proc/nowhere"),
        ([], {"PORT": "eighty"}, "PORT='eighty'"),
    ],
)
def test_a_page_that_must_not_be_served_says_why(arguments, environment, said, tmp_path):
    command = [sys.executable, "-m", "segmentation.web.command", "--no-browser", *arguments]
    settings = {"SQUIGGLE_DATA": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | environment
    ended = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "Squiggle does not start:" in ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_address_of_the_page_can_be_opened():
    assert page_url("127.0.0.1", 8050) == "http://127.0.0.1:8050"
    assert page_url("::1", 8050) == "http://[::1]:8050"
