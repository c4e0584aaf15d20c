"""What a client proves itself and knows the server by."""

from __future__ import annotations

from pathlib import Path

import grpc

from hrnn_tuner.domain.addresses import is_loopback


def tls_credentials(
    ca: Path | None = None, *, cert: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """Credentials of an encrypted connection.

    Args:
        ca: PEM file of the authority that the server's certificate must come from; None for the public ones.
        cert: PEM file of the client's own certificate chain, for a server that asks for one.
        key: PEM file of its key.

    Raises:
        OSError: When a file cannot be read.
        ValueError: When there is a certificate without a key, or a key without a certificate.
    """
    if (cert is None) != (key is None):
        raise ValueError("a client certificate needs its key, and a key its certificate")
    ca_pem, key_pem, cert_pem = (None if path is None else path.read_bytes() for path in (ca, key, cert))
    return grpc.ssl_channel_credentials(ca_pem, key_pem, cert_pem)


def call_metadata(token: str | None, target: str, *, encrypted: bool) -> tuple[tuple[str, str], ...]:
    """What every call carries.

    Raises:
        ValueError: When a token would go over a network in plaintext.
    """
    if token is None:
        return ()
    if not encrypted and not is_loopback(target):
        text = f"refusing to send a token to {target} in plaintext: others could read it; allowed: TLS credentials"
        raise ValueError(text)
    return (("authorization", f"Bearer {token.strip()}"),)
