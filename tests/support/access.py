"""Callers of an API that asks who they are: tokens and certificates."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import grpc
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hrnn_tuner.client import TuningClient
from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import new_token
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.store import Store
from tests.support.api import NO_RETRIES, Api

DAY = datetime.timedelta(days=1)


def token_for(
    store: Store, project: str, role: Role = Role.ADMIN, *, expires_at: datetime.datetime | None = None
) -> str:
    """A new token's text."""
    token, text = new_token(project, role, utc_now(), expires_at=expires_at)
    with store.write() as tx:
        tx.tokens.add(token)
    return text


def client_of(api: Api, project: str, role: Role = Role.ADMIN) -> TuningClient:
    """A client with a new token; close it."""
    return TuningClient(api.server.address, retry=NO_RETRIES, timeout_s=20, token=token_for(api.store, project, role))


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call with a token."""
    return (("authorization", f"Bearer {token}"),)


class TlsSettings(TypedDict):
    """Settings of a server with TLS."""

    tls_cert: Path
    tls_key: Path


@dataclass(frozen=True)
class ServerFiles:
    """A server's TLS files, as its settings name them."""

    folder: Path

    @property
    def settings(self) -> TlsSettings:
        """Settings of a server with TLS."""
        return {"tls_cert": self.folder / "server.pem", "tls_key": self.folder / "server.key"}

    @property
    def client_ca(self) -> Path:
        """The authority of clients."""
        return self.folder / "ca.pem"

    def write(self, authority: trustme.CA) -> None:
        """Writes a new certificate for 127.0.0.1, and the authority as that of the clients."""
        leaf = authority.issue_cert("127.0.0.1", "localhost")
        self.settings["tls_key"].write_bytes(leaf.private_key_pem.bytes())
        self.settings["tls_cert"].write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        self.client_ca.write_bytes(authority.cert_pem.bytes())


def client_credentials(authority: trustme.CA, name: str, *, expired: bool = False) -> grpc.ChannelCredentials:
    """Credentials with a client certificate whose alternative name is a URI, which trustme itself does not issue."""
    now = utc_now()
    begin, end = (now - 3 * DAY, now - DAY) if expired else (now - DAY, now + DAY)
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    issuer_key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(), key_pem, certificate.public_bytes(serialization.Encoding.PEM)
    )
