"""Serves a process's metrics and health over HTTP: ``/metrics``, ``/livez`` and ``/readyz``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import REGISTRY, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 5.0
_TEXT = [("Content-Type", "text/plain; charset=utf-8")]


class CannotServeMetrics(Exception):
    """The address of the metrics is taken or is none."""


class _Server(ThreadingMixIn, WSGIServer):
    """A slow reader must not keep a probe waiting."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    """Probes come every few seconds and are not worth a line each."""

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


@contextmanager
def serve_metrics(listen: str, *, ready: Callable[[], bool]) -> Iterator[str]:
    """Serves metrics and health while the block runs, on threads of its own.

    ``/livez`` answers 200 as long as the process can answer, ``/readyz`` 200 or 503.

    Args:
        listen: host:port, port 0 takes a free one; empty serves nothing.
        ready: Whether the service can do its work right now.

    Yields:
        The address; empty when nothing is served.

    Raises:
        CannotServeMetrics: When the address cannot be listened on.
    """
    if not listen:
        yield ""
        return
    host, _, port = listen.rpartition(":")
    try:
        server = make_server(host.strip("[]"), int(port), _application(ready), _Server, _QuietHandler)
    except (OSError, ValueError, OverflowError) as error:
        raise CannotServeMetrics(f"HRNN_TUNER_METRICS_LISTEN: cannot listen on {listen!r}: {error}") from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    address = f"{host}:{server.server_port}"
    _LOG.info("metrics are served", address=address)
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_JOIN_TIMEOUT_S)


def _application(ready: Callable[[], bool]) -> WSGIApplication:
    """The paths."""
    metrics: WSGIApplication = make_wsgi_app(REGISTRY)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return metrics(environ, start_response)
            case "/livez":
                start_response("200 OK", _TEXT)
                return [b"ok\n"]
            case "/readyz":
                good = ready()
                start_response("200 OK" if good else "503 Service Unavailable", _TEXT)
                return [b"ok\n" if good else b"not ready\n"]
        start_response("404 Not Found", _TEXT)
        return [b"/metrics, /livez, /readyz\n"]

    return application
