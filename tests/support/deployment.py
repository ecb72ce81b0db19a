"""A server and nginx exactly as docs/deploy.md sets them up, but for ports and paths."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.get_nginx import find_nginx

DEPLOY = (Path(__file__).resolve().parents[2] / "docs" / "deploy.md").read_text()
START_SECONDS = 20
CERTIFICATE = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=squiggle"]
OF_THE_MACHINE = ("PORT", "SQUIGGLE_DATA")


def shown(name: str) -> str:
    """The content of a file of a host, as the documentation shows it."""
    (content,) = re.findall(rf"^`[^`]*/{name}`:\n\n((?:    .*\n|\n)+)", DEPLOY, re.MULTILINE)
    return textwrap.dedent(content)


def unit_command() -> str:
    """What systemd starts; its programs are looked for in the PATH."""
    (command,) = re.findall(r"^ExecStart=/srv/squiggle/\.venv/bin/(.*)$", shown("squiggle.service"), re.MULTILINE)
    return command


def unit_environment() -> dict[str, str]:
    """The variables that systemd sets, without those that differ from machine to machine."""
    lines = re.findall(r"^Environment=(.*)$", shown("squiggle.service"), re.MULTILINE)
    variables = dict(word.split("=", 1) for line in lines for word in line.split())
    return {name: value for name, value in variables.items() if name not in OF_THE_MACHINE}


def user_header_line() -> str:
    """The line with which nginx names the user."""
    (line,) = re.findall(r"^    (proxy_set_header X-Remote-User .*;)", DEPLOY, re.MULTILINE)
    return line


class Nginx:
    """nginx with the documented server in front of a port of this machine; may be stopped and started again.

    Attributes:
        url: where it is.
    """

    def __init__(self, upstream: int, location: str = "") -> None:
        """Prepare a folder of its own for nginx.

        Args:
            upstream: port of the server that it passes requests on to.
            location: lines to add to the documented location.
        """
        # Not among pytest's folders, which only this user may enter: its workers are another's.
        self.folder = Path(tempfile.mkdtemp(prefix="squiggle-nginx-"))
        self.folder.chmod(0o711)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        certificate = [*CERTIFICATE, "-out", "fullchain.pem", "-keyout", "privkey.pem"]
        subprocess.run(certificate, cwd=self.folder, check=True, capture_output=True)
        (self.folder / "nginx.conf").write_text(self._configuration(upstream, location))

    def _configuration(self, upstream: int, location: str) -> str:
        server = shown("sites-enabled/squiggle")
        for documented, ours in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("/etc/letsencrypt/live/squiggle.example.org", str(self.folder)),
            ("http://127.0.0.1:8050;", f"http://127.0.0.1:{upstream};\n{location}"),
        ):
            assert documented in server
            server = server.replace(documented, ours)
        places = "\n".join(
            f"{kind}_temp_path {self.folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return (
            f"daemon off; pid {self.folder / 'pid'}; error_log {self.folder / 'error.log'};\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{places}\n{server}}}\n"
        )

    def start(self) -> None:
        program = find_nginx()
        assert program, "there is no nginx: run `make test`, which installs it or says how"
        log = self.folder / "error.log"
        self._process = subprocess.Popen([program, "-p", self.folder, "-c", "nginx.conf", "-e", log])
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                waiting = self._process.poll() is None and time.monotonic() < deadline
                assert waiting, log.read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=10)

    def remove(self) -> None:
        shutil.rmtree(self.folder)


@contextmanager
def nginx_in_front_of(upstream: int, location: str = "") -> Iterator[Nginx]:
    """A running nginx; see there."""
    nginx = Nginx(upstream, location)
    try:
        nginx.start()
        yield nginx
        nginx.stop()
    finally:
        nginx.remove()
