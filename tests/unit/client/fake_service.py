"""A real gRPC server with canned answers: what the client and the command line are tested against."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_service_pb2_grpc import TuningServiceServicer, add_TuningServiceServicer_to_server


class Refusal(Exception):
    """An error answer with google.rpc details."""

    def __init__(self, code: grpc.StatusCode, message: str = "", details: Sequence[Message] = ()) -> None:
        self.code, self.message, self.details = code, message or code.name, details

    def abort(self, context: grpc.ServicerContext) -> None:
        packed = []
        for detail in self.details:
            item = AnyMessage()
            item.Pack(detail)
            packed.append(item)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)
        context.abort_with_status(rpc_status.to_status(status))


def bad_request(**violations: str) -> error_details_pb2.BadRequest:
    """BadRequest with one violation per keyword; a double underscore stands for a dot."""
    violation = error_details_pb2.BadRequest.FieldViolation
    return error_details_pb2.BadRequest(
        field_violations=[violation(field=k.replace("__", "."), description=v) for k, v in violations.items()]
    )


Answer = Message | Refusal | Callable[[Any], Message]


class FakeService(TuningServiceServicer):
    """Answers each method with its queued answers in order; the last one is repeated.

    A Watch answer is a list of events; a `Refusal` in it ends the stream, a `threading.Event` holds it until it is set
    or the call is over.
    """

    def __init__(self) -> None:
        self.address = ""
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.deadlines_s: dict[str, list[float | None]] = defaultdict(list)
        self.watch_ended = threading.Event()
        self._answers: dict[str, deque[Any]] = defaultdict(deque)

    def answers(self, method: str, *answers: Answer | list[Any]) -> FakeService:
        self._answers[method].extend(answers)
        return self

    def take(self, method: str, request: Any, context: grpc.ServicerContext) -> Any:
        self.requests[method].append(request)
        self.deadlines_s[method].append(context.time_remaining())
        queue = self._answers[method]
        if not queue:
            Refusal(grpc.StatusCode.UNIMPLEMENTED, f"no canned answer for {method}").abort(context)
        return queue.popleft() if len(queue) > 1 else queue[0]

    def WatchTuningJob(
        self, request: pb.WatchTuningJobRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchTuningJobResponse]:
        context.add_callback(self.watch_ended.set)
        for item in self.take("WatchTuningJob", request, context):
            if isinstance(item, Refusal):
                item.abort(context)
            elif isinstance(item, threading.Event):
                while context.is_active() and not item.wait(0.01):
                    pass
            else:
                yield item


def _unary(method: str) -> Callable[..., Message]:
    def handler(self: FakeService, request: Any, context: grpc.ServicerContext) -> Message:
        answer = self.take(method, request, context)
        if isinstance(answer, Refusal):
            answer.abort(context)
        return answer if isinstance(answer, Message) else answer(request)

    return handler


for _method in pb.DESCRIPTOR.services_by_name["TuningService"].methods:
    if not _method.server_streaming:
        setattr(FakeService, _method.name, _unary(_method.name))


@contextmanager
def serving(service: FakeService, port: int = 0) -> Iterator[FakeService]:
    """Serves on a port of the loopback interface, a free one by default."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.so_reuseport", 0)])
    add_TuningServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    service.address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    server.start()
    try:
        yield service
    finally:
        server.stop(0).wait()
