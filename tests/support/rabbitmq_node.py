"""A RabbitMQ node of the tests' own: nothing of it is shared with a system service, and it may be killed."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.ports import free_ports
from tests.support.waiting import wait_until

START_TIMEOUT_S = 90.0
#: RabbitMQ saves the names of quorum queues every half second. One whose node is killed before that never has a leader
#: again (seen on 3.10): it neither lets consumers in nor refuses them.
QUEUES_ON_DISK_S = 1.5
#: Debian's /usr/sbin/rabbitmq-server changes to another user when root calls it; this one does not.
_PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")


class RabbitMqNode:
    """A RabbitMQ server process with its data in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port, self._http_port, self._dist_port, self._epmd_port = free_ports(5)
        self._process: subprocess.Popen[bytes] | None = None
        self._write_files()

    @property
    def ca_file(self) -> Path:
        """The certificate that signs the TLS listener's (its own)."""
        return self.folder / "tls.crt"

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def url(self, vhost: str = "/") -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Starts the server on its old data; returns when it accepts connections."""
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=self._process_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, START_TIMEOUT_S, f"RabbitMQ's start; see {self.folder}")

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Lets the server do nothing, with its connections open, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kills the server and its port mapper; the data are temporary."""
        self.kill()
        subprocess.run(["epmd", "-kill"], env=self._environment(), capture_output=True, timeout=10, check=False)

    def add_vhost(self, name: str) -> str:
        """Makes an empty virtual host; returns its URL."""
        assert self.request("PUT", f"/api/vhosts/{name}")[0] in (201, 204)
        return self.url(name)

    def remove_vhost(self, name: str) -> None:
        self.request("DELETE", f"/api/vhosts/{name}")

    def close_connections(self, vhost: str) -> int:
        """Closes the virtual host's connections from the server's side; returns how many it knew."""
        status, body = self.request("GET", f"/api/vhosts/{vhost}/connections")
        connections = json.loads(body) if status == 200 else []
        for connection in connections:
            self.request("DELETE", f"/api/connections/{quote(connection['name'])}")
        return len(connections)

    def import_definitions(self, document: dict[str, Any]) -> None:
        """Brings in users and permissions."""
        status, body = self.request("POST", "/api/definitions", json.dumps(document))
        assert status in (200, 201, 204), body

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """Calls the management API."""
        client = http.client.HTTPConnection("127.0.0.1", self._http_port, timeout=10)
        try:
            credentials = base64.b64encode(b"guest:guest").decode()
            headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
            client.request(method, path, body, headers)
            response = client.getresponse()
            return response.status, response.read()
        finally:
            client.close()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"RabbitMQ did not start:\n{(self.folder / 'output.log').read_text()[-3000:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            socket.create_connection(("127.0.0.1", self.tls_port), 1.0).close()
            return self.request("GET", "/api/overview")[0] == 200
        except OSError:
            return False

    def _command(self) -> list[str]:
        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if program is None:
            pytest.fail("rabbitmq-server is missing: `make test` installs it (Debian package rabbitmq-server)")
        guard = shutil.which("setpriv")  # takes the node along when the test process is killed
        return ([guard, "--pdeathsig", "KILL"] if guard else []) + [program]

    def _process_environment(self) -> dict[str, str]:
        return self._environment()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),  # of the Erlang cookie
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "1",  # the start script becomes the server: no shell between us and it
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "conf.d"),  # an image's own opens the default port besides
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",  # lets `stop` end it before it has noticed the node's death
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
        }

    def _write_files(self) -> None:
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        files = ["-keyout", str(self.folder / "tls.key"), "-out", str(self.ca_file)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files],
            capture_output=True,
            check=True,
            timeout=30,
        )
        (self.folder / "plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "env.conf").write_text("")
        (self.folder / "conf.d").mkdir()
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n"
            f"ssl_options.cacertfile = {self.ca_file}\n"
            f"ssl_options.certfile = {self.ca_file}\n"
            f"ssl_options.keyfile = {self.folder / 'tls.key'}\n"
            # The shortest that brokers support: no task may stay unacknowledged for longer.
            "consumer_timeout = 60000\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self._http_port}\n"
        )
