"""Makes sure that there is an nginx for the test of docs/deploy.md, or says how to get one."""

from __future__ import annotations

import os
import shutil

from tests.support.installing import by_apt, ensure

# Debian's package would otherwise leave a server running for the whole machine.
INSTALL = """
set -e
apt-get update -qq
apt-get install -y -qq nginx-light openssl
if [ -d /run/systemd/system ]; then systemctl disable --now --quiet nginx; fi
"""
OUT_OF_THE_PATH = "/usr/sbin"


def find_nginx() -> str | None:
    """Path of an nginx on this machine, if there is one; NGINX names another."""
    return os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("nginx", path=OUT_OF_THE_PATH)


def main() -> None:
    """Install nginx where it is missing and can be installed."""
    ensure(
        "nginx for the tests of hosting",
        lambda: find_nginx() and shutil.which("openssl"),
        by_apt(INSTALL),
        "The tests need nginx and openssl, and they could not be installed. Install them with your system's packages "
        "(Debian, Ubuntu: sudo apt-get install nginx-light openssl; macOS: brew install nginx), or set NGINX to the "
        "path of an nginx.",
    )


if __name__ == "__main__":
    main()
