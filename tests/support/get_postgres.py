"""Makes sure that there is a PostgreSQL server for the tests of the store, or says how to get one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support.installing import by_apt, ensure

# Debian's package would otherwise start a server for the whole machine.
INSTALL = """
set -e
apt-get update -qq
apt-get install -y -qq postgresql-common
sed -i 's/^#\\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
apt-get install -y -qq postgresql
"""


def find_postgres() -> Path | None:
    """Folder of a server's programs on this machine, if there is one; POSTGRES_BIN names another."""
    named = os.environ.get("POSTGRES_BIN")
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    folders = [Path(named)] if named else [*([Path(on_path).parent] if on_path else []), *debian]
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


def main() -> None:
    """Install PostgreSQL where it is missing and can be installed."""
    ensure(
        "PostgreSQL for the tests of the store",
        find_postgres,
        by_apt(INSTALL),
        "The tests need a PostgreSQL server's programs, and they could not be installed. Install them with your "
        "system's packages (Debian, Ubuntu: sudo apt-get install postgresql; macOS: brew install postgresql), or set "
        "POSTGRES_BIN to the folder of initdb.",
    )


if __name__ == "__main__":
    main()
