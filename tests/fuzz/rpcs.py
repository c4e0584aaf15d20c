"""Calls every RPC with anything, and reads the answers as an attacker would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from hypothesis import strategies as st

from hrnn_tuner.client import parse_request
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.fuzz.messages import bodies, texts
from tests.support.api import Api, hrnn_spec_of, spec_of
from tests.support.changed_messages import empty

#: Answers that would be a defect. DEADLINE_EXCEEDED and UNAVAILABLE too: nothing here is slow or away.
DEFECTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
    }
)
SERVICE = pb.DESCRIPTOR.services_by_name["TuningService"]
METHODS = sorted(SERVICE.methods_by_name)
_TIMEOUT_S = 60.0
#: What would show how the service is made.
_TELLTALES = ("Traceback", 'File "/', ".py", "sqlalchemy", "psycopg", "sqlite3", "Exception")


class RpcFuzzer:
    """One API and a channel to it.

    Args:
        api: With some tuning jobs.
        known: Names and tokens that it knows, which get requests beyond the first check.
    """

    def __init__(self, api: Api, known: Sequence[str]) -> None:
        self._channel = grpc.insecure_channel(api.server.address)
        self._known = list(known)
        self._seeds: dict[str, list[Message]] = {
            name: [empty(method.input_type)] for name, method in SERVICE.methods_by_name.items()
        }
        for name in METHODS:
            for field in ("name", "tuning_job_name", "training_job_name"):
                if field in SERVICE.methods_by_name[name].input_type.fields_by_name:
                    for given in self._known:
                        seed: Any = empty(SERVICE.methods_by_name[name].input_type)
                        setattr(seed, field, given)
                        self._seeds[name].append(seed)
        everything = hrnn_spec_of("new", ("interactions", api.data / "interactions.csv"))
        for spec in (spec_of("new"), everything):
            request = parse_request(spec)
            request.validate_only = True
            self._seeds["CreateTuningJob"] += [request, request, request]

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def once(self, draw: Any) -> None:
        """One call; fails when its answer is a defect or tells what is inside."""
        method = draw(st.sampled_from(METHODS))
        body = draw(bodies(self._seeds[method], self._known))
        note = "".join(character for character in draw(texts()) if " " <= character <= "~")[:50]
        said = self._answer(method, body, (("x-note", note), ("traceparent", note)))
        if said is not None:
            code, text = said
            assert code not in DEFECTS, f"{method} {body!r}: {code}: {text}"
            assert not any(telltale in text for telltale in _TELLTALES), f"{method} {body!r}: {code}: {text}"

    def _answer(
        self, method: str, body: bytes, metadata: tuple[tuple[str, str], ...]
    ) -> tuple[grpc.StatusCode, str] | None:
        """What a refusal says, with its details; None for no refusal."""
        try:
            self._call(method, body, metadata)
        except grpc.RpcError as error:
            return error.code(), f"{error.details()} {error.trailing_metadata()}"
        return None

    def _call(self, method: str, body: bytes, metadata: tuple[tuple[str, str], ...]) -> None:
        path = f"/{SERVICE.full_name}/{method}"
        if not SERVICE.methods_by_name[method].server_streaming:
            self._channel.unary_unary(path)(body, timeout=_TIMEOUT_S, metadata=metadata)
            return
        stream = self._channel.unary_stream(path)(body, timeout=_TIMEOUT_S, metadata=metadata)
        next(stream, None)
        stream.cancel()
