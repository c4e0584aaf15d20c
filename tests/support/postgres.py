"""PostgreSQL for tests: a private cluster in a temporary folder, on a free port, with its durability left on."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import trustme
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.support.ports import free_port

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
URL_VARIABLE = "HRNN_TUNER_TEST_POSTGRES_URL"


def _program(name: str) -> str:
    """The newest installed program of this name; Debian keeps the server's out of PATH."""
    installed = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[-3].isdigit()]
    if installed:
        return str(max(installed, key=lambda path: int(path.parts[-3])))
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"PostgreSQL has no {name} here: `make test` (or `make services`) installs it", pytrace=False)
    return found


def _owner() -> pwd.struct_passwd | None:
    """The user to run PostgreSQL as, which refuses to run as root; None for the current one."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _connect(url: str) -> psycopg.Connection:
    """A psycopg connection for an SQLAlchemy URL, without transactions."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)


class PrivatePostgres:
    """A PostgreSQL cluster of a test's own, which may be killed and started again.

    Not thread-safe. ``close()`` must be called in the end; it stops the server and deletes the data.
    """

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        """Creates the cluster; the server does not run yet. With a certificate it offers TLS."""
        self._folder = Path(tempfile.mkdtemp(prefix="hrnn-tuner-postgres-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = _owner()
        if self._owner is not None:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        self._options = [] if certificate is None else self._tls_options(certificate)
        initdb = self._spawn(
            "initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"
        )
        if initdb.wait(START_TIMEOUT_S) != 0:
            pytest.fail(f"initdb failed:\n{self._log()}", pytrace=False)

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the maintenance database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"

    @property
    def pid(self) -> int:
        """The server's first process, whose children the others are."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the server and waits until it answers.

        After ``kill()`` the first tries may fail, as long as backends of the killed server hold its shared memory.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn(
                    "postgres", "-D", "data", "-p", str(self._port),
                    "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", *self._options,
                )  # fmt: skip
            try:
                _connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"PostgreSQL did not start within {START_TIMEOUT_S:.0f} s:\n{self._log()}", pytrace=False)

    def kill(self) -> None:
        """Kills the server as a power cut would: nothing is flushed, nobody says goodbye."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Lets the server and its backends do nothing, with their connections open, until `thaw`."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undoes `freeze`."""
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """Stops the server in order; open transactions are rolled back."""
        self._end(signal.SIGINT)

    def close(self) -> None:
        """Stops the server and deletes its data."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal_all(self, number: signal.Signals) -> None:
        """Sends a signal to the server and to its backends, which are in process groups of their own."""
        assert self._process is not None
        self._process.send_signal(number)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in children.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [_program(program), *arguments]
        if self._owner is not None:
            # Not by Popen's own means, for which it forks: gRPC's handlers of forks may abort a process that uses it.
            ids = (f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}", "--clear-groups")
            command = ["setpriv", *ids, "--", *command]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal is for pytest, which then stops the server
            )

    def _tls_options(self, certificate: trustme.LeafCert) -> list[str]:
        """Writes the certificate; PostgreSQL wants the key for itself."""
        files = {
            "ssl_cert_file": b"".join(blob.bytes() for blob in certificate.cert_chain_pems),
            "ssl_key_file": certificate.private_key_pem.bytes(),
        }
        options = ["-c", "ssl=on"]
        for name, content in files.items():
            path = self._folder / name
            path.write_bytes(content)
            path.chmod(0o600)
            if self._owner is not None:
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
            options += ["-c", f"{name}={path}"]
        return options

    def _log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-4000:]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server that all tests share: the environment's, or a private one."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    server = PrivatePostgres()
    try:
        server.start()
        yield server.url
    finally:
        server.close()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of an empty database of the test's own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    with _connect(postgres_url) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
        )
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with _connect(postgres_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_server() -> Iterator[PrivatePostgres]:
    """A running PostgreSQL server of the test's own, to be killed and started again."""
    server = PrivatePostgres()
    try:
        server.start()
        yield server
    finally:
        server.close()
