"""How the API listens: TLS with files that may change, and no plaintext where others could read it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import grpc
import structlog

from hrnn_tuner.domain.addresses import is_loopback
from hrnn_tuner.settings import Settings

_LOG = structlog.get_logger(__name__)


class CannotListen(Exception):
    """The API's address is taken or not allowed, or its certificate cannot be used."""


def listen(server: grpc.aio.Server, settings: Settings) -> int:
    """Opens the server's port; returns its number.

    Raises:
        CannotListen: When the address is taken, would be plaintext for others, or the certificate cannot be used.
    """
    address = settings.listen
    try:
        if settings.tls_cert is not None and settings.tls_key is not None:
            files = CertificateFiles(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
            return int(server.add_secure_port(address, files.server_credentials()))
        if not is_loopback(address) and not settings.allow_plaintext:
            raise CannotListen(
                f"refusing to listen on {address} without TLS, where others could read tokens and data; allowed: "
                "HRNN_TUNER_TLS_CERT and HRNN_TUNER_TLS_KEY, an address of this machine such as 127.0.0.1:50051, "
                "or HRNN_TUNER_ALLOW_PLAINTEXT=true where the network itself is private or encrypts"
            )
        return int(server.add_insecure_port(address))
    except RuntimeError as error:
        raise CannotListen(f"cannot listen on {address}: {error}") from error


def authenticates(settings: Settings) -> bool:
    """Whether callers must prove who they are: as it is set, or else wherever others than this machine can call."""
    if settings.authentication == "auto":
        return not is_loopback(settings.listen)
    return settings.authentication == "on"


class CertificateFiles:
    """The server's certificate and key, and the authority of its clients; read anew whenever one of them changed.

    Args:
        cert: PEM of the certificate and those between it and its authority.
        key: PEM of its key.
        client_ca: PEM of the authority that clients' certificates must come from; None asks clients for none.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None) -> None:
        self._cert = cert
        self._key = key
        self._client_ca = client_ca
        self._seen: list[tuple[int, int, int]] = []

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that look at the files before each new connection.

        Raises:
            CannotListen: When the files cannot be used.
        """
        try:
            initial = self._read()
        except (OSError, ValueError) as error:
            raise CannotListen(f"cannot use the TLS certificate {self._cert} with {self._key}: {error}") from error
        return grpc.dynamic_ssl_server_credentials(initial, self._changed, self._client_ca is not None)

    def _changed(self) -> Any:
        """The configuration for the next connection; None for the one before. On gRPC's threads."""
        try:
            if self._state() == self._seen:
                return None
            configuration = self._read()
        except (OSError, ValueError) as error:  # perhaps only one of the files is new yet: the old ones still do
            _LOG.warning("the new TLS certificate cannot be used", error=str(error))
            return None
        _LOG.info("TLS certificate read again", path=str(self._cert))
        return configuration

    def _read(self) -> Any:
        """Reads the files.

        Raises:
            OSError: When one cannot be read.
            ValueError: When certificate and key do not belong together, or are none.
        """
        seen = self._state()  # before reading: what changes meanwhile is read again
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._cert, self._key)
        except ssl.SSLError as error:
            raise ValueError(error.reason or "no PEM file") from error
        pair = (self._key.read_bytes(), self._cert.read_bytes())
        roots = None if self._client_ca is None else self._client_ca.read_bytes()
        configuration = grpc.ssl_server_certificate_configuration([pair], root_certificates=roots)
        self._seen = seen
        return configuration

    def _state(self) -> list[tuple[int, int, int]]:
        """Changes whenever a file does, also one that is replaced by another as Kubernetes does it."""
        paths = [path for path in (self._cert, self._key, self._client_ca) if path is not None]
        found = [path.stat() for path in paths]
        return [(item.st_ino, item.st_mtime_ns, item.st_size) for item in found]
