"""Opens many Watch streams and keeps them: ``python -m tests.support.watch_flood ADDRESS COUNT``.

A process of its own, so that what the server needs is not mixed up with what its clients need. Prints how the streams
were answered as JSON, and holds those that are open until standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

import grpc

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_service_pb2_grpc import TuningServiceStub

CONNECTIONS = 12
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))


async def flood(address: str, count: int) -> None:
    channels = [grpc.aio.insecure_channel(address, options=_OPTIONS) for _ in range(CONNECTIONS)]
    answers: Counter[str] = Counter()
    held = []

    async def watch(number: int) -> None:
        stub = TuningServiceStub(channels[number % CONNECTIONS])  # type: ignore[no-untyped-call]
        call = stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job"))
        try:
            await call.read()
        except grpc.RpcError as error:
            answers[error.code().name] += 1
        else:
            answers["OPEN"] += 1
            held.append(call)

    await asyncio.gather(*(watch(number) for number in range(count)))
    print(json.dumps(answers), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for channel in channels:
        await channel.close(0)


if __name__ == "__main__":
    asyncio.run(flood(sys.argv[1], int(sys.argv[2])))
