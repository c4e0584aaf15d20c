"""A RabbitMQ node of another version than the machine's, in a container; for ``make broker-matrix``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.rabbitmq_node import RabbitMqNode

#: The server itself: Debian's and the official image's start scripts would change to another user.
_SERVER = 'PATH="/usr/lib/rabbitmq/bin:/opt/rabbitmq/sbin:$PATH" exec rabbitmq-server'
LABEL = "hrnn-tuner-test"


class RabbitMqContainer(RabbitMqNode):
    """The same node with the same files; it shares the machine's network, so that ports are what they are."""

    def __init__(self, folder: Path, image: str) -> None:
        super().__init__(folder)
        self._image = image
        self._name = f"{LABEL}-rabbitmq-{self.port}"

    def kill(self) -> None:
        """See `RabbitMqNode.kill`. The client ends after the container was removed, so that its name is free again."""
        if self._process is not None:
            self._docker("kill", "--signal", "KILL", self._name)
            self._process.wait(60)
            self._process = None

    def freeze(self) -> None:
        """See `RabbitMqNode.freeze`."""
        self._docker("pause", self._name)

    def thaw(self) -> None:
        """See `RabbitMqNode.thaw`."""
        self._docker("unpause", self._name)

    def stop(self) -> None:
        """Kills the server; its port mapper is in the container, too."""
        self.kill()

    def _docker(self, *arguments: str) -> None:
        subprocess.run(["docker", *arguments], capture_output=True, check=True, timeout=60)

    def _command(self) -> list[str]:
        inside = self._environment()
        del inside["PATH"]
        variables = [part for name, value in inside.items() for part in ("--env", f"{name}={value}")]
        options = [
            *("--rm", "--name", self._name, "--label", LABEL, "--network", "host"),
            *("--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{self.folder}:{self.folder}"),
            *("--workdir", str(self.folder), "--entrypoint", "sh"),
        ]
        return ["docker", "run", *options, *variables, self._image, "-c", _SERVER]

    def _process_environment(self) -> dict[str, str]:
        return dict(os.environ)
