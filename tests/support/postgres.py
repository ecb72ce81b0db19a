"""A PostgreSQL server of the tests' own: in a folder, on a free port, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

from tests.support.get_postgres import find_postgres

SUPERUSER = "squiggle"


class Postgres:
    """A server whose databases come and go with the tests; it may be stopped and started again."""

    def __init__(self) -> None:
        programs = find_postgres()
        assert programs, "there is no PostgreSQL: run `make test`, which installs it or says how"
        self._programs = programs
        # Not among pytest's folders, which only this user may enter: the server refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="squiggle-postgres-"))
        self.uid = os.geteuid()
        self._user = {}
        if os.geteuid() == 0:
            account = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if _has_account(name))
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.uid = account.pw_uid
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        # A kill of the server's clients needs no disk that keeps its word.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "--wait", f"--log={self.folder / 'log'}", f"--options={options}", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        return f"postgres://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run a statement as the superuser, outside of any database of the tests."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def terminate_connections(self, database: str) -> None:
        """Cut all connections to a database, as an administrator or a failing network would."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "--pgdata", str(self.folder / "data"), *arguments]
        log = self.folder / "programs.log"
        with log.open("a") as output:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            run = subprocess.run(command, cwd=self.folder, **quiet, **self._user)
        assert run.returncode == 0, log.read_text()


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
