"""Metrics and traces of the services as separate processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client.parser import text_string_to_metric_families

from tests.support.interactions import write_interactions
from tests.support.specifications import hrnn_spec, synthetic_spec
from tests.support.stack import REPOSITORY, Service, Stack
from tests.support.trace_tree import spans_in, trace_tree
from tests.support.waiting import wait_until

END_TIMEOUT_S = 100.0
TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
CALLER = SpanContext(TRACE_ID, 0xB7AD6B7169203331, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
SETTINGS = {"METRICS_LISTEN": "127.0.0.1:0", "LOG_FORMAT": "json", "WORKER_ONCE_WAIT_S": "30"}


@pytest.fixture
def stack(
    tmp_path: Path, postgres_database: str, amqp_vhost_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    with Stack(tmp_path, database_url=postgres_database, broker_url=amqp_vhost_url, settings=SETTINGS) as running:
        yield running


def _address(service: Service) -> str:
    """Where a service serves its metrics, by its log."""
    found: list[str] = []

    def says() -> bool:
        found[:] = re.findall(r'"address": "([^"]+)", "event": "metrics are served"', service.log)
        found.extend(json.loads(line)["address"] for line in service.log.splitlines() if '"metrics are served"' in line)
        return bool(found)

    wait_until(says, 60, f"{service.module} to serve metrics")
    return found[0]


def _get(service: Service, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{_address(service)}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _metrics(service: Service) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    status, text = _get(service, "/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _value(metrics: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return metrics[name, frozenset(labels.items())]


def _of_trace(service: Service) -> dict[str, dict[str, Any]]:
    wanted = f"0x{TRACE_ID:032x}"
    return {span["name"]: span for span in spans_in(service.log) if span["context"]["trace_id"] == wanted}


def test_every_process_serves_metrics_that_say_what_happened(stack: Stack) -> None:
    stack.client.create_tuning_job(synthetic_spec("measured", max_training_jobs=3, epochs=2))
    stack.client.wait("measured", timeout_s=END_TIMEOUT_S)
    (scheduler,), (worker,) = stack.schedulers, stack.workers
    for service in stack.services:
        assert _get(service, "/livez")[0] == 200
        assert _get(service, "/readyz")[0] == 200
        assert _get(service, "/elsewhere")[0] == 404
    api = _metrics(stack.api)
    assert _value(api, "hrnn_tuner_api_requests_total", method="CreateTuningJob", code="OK") == 1
    assert _value(api, "hrnn_tuner_api_request_duration_seconds_count", method="CreateTuningJob", code="OK") == 1
    assert _value(api, "hrnn_tuner_api_watch_streams") == 0
    wait_until(lambda: _value(_metrics(scheduler), "hrnn_tuner_outbox_messages") == 0, 20, "the outbox to be empty")
    wait_until(lambda: _value(_metrics(worker), "hrnn_tuner_worker_slots_busy") == 0, 20, "the slots to be free")
    planned = _metrics(scheduler)
    assert _value(planned, "hrnn_tuner_tuning_jobs", state="COMPLETED") == 1
    assert _value(planned, "hrnn_tuner_live_slots", **{"class": "default"}) == 2
    assert _value(planned, "hrnn_tuner_scheduler_tasks_published_total", work="attempt") == 3
    assert _value(planned, "hrnn_tuner_scheduler_reports_total", event="ended", result="applied") == 3
    assert _value(planned, "hrnn_tuner_queue_messages_ready", queue="hrnn.tasks.v1.default") == 0
    assert _value(planned, "hrnn_tuner_scheduler_plan_duration_seconds_count") > 0
    assert any(name == "hrnn_tuner_scheduler_proposal_duration_seconds_count" for name, _ in planned)
    trained = _metrics(worker)
    assert _value(trained, "hrnn_tuner_worker_slots") == 2
    assert _value(trained, "hrnn_tuner_worker_attempts_total", outcome="completed") == 3
    assert _value(trained, "hrnn_tuner_worker_epochs_total") == 6
    everything = {*api, *planned, *trained}
    assert not [labels for _, labels in everything if any("measured" in value for _, value in labels)], "unbounded"


def test_a_refused_call_is_counted_under_its_status(stack: Stack) -> None:
    with pytest.raises(Exception, match="nobody"):
        stack.client.get_tuning_job("nobody")
    refused = ("hrnn_tuner_api_requests_total", frozenset({("method", "GetTuningJob"), ("code", "NOT_FOUND")}))
    wait_until(lambda: refused in _metrics(stack.api), 20, "the count, which comes after the answer")
    assert _metrics(stack.api)[refused] == 1


def test_one_trace_goes_from_the_client_through_all_services_to_the_result(stack: Stack) -> None:
    with trace.use_span(NonRecordingSpan(CALLER)):
        stack.client.create_tuning_job(synthetic_spec("traced", max_training_jobs=1))
    stack.client.wait("traced", timeout_s=END_TIMEOUT_S)
    (scheduler,), (worker,) = stack.schedulers, stack.workers
    wait_until(lambda: "apply ended" in _of_trace(scheduler), 20, "the last span to be exported")
    wait_until(lambda: "train" in _of_trace(worker), 20, "the worker's span to be exported")
    created = _of_trace(stack.api)["TuningService/CreateTuningJob"]
    published, started = _of_trace(scheduler)["publish task"], _of_trace(scheduler)["apply started"]
    train, ended = _of_trace(worker)["train"], _of_trace(scheduler)["apply ended"]
    ids = {name: span["context"]["span_id"] for name, span in {"c": created, "p": published, "t": train}.items()}
    parents = [span["parent_id"] for span in (created, published, started, train, ended)]
    assert parents == [f"0x{CALLER.span_id:016x}", ids["c"], ids["p"], ids["p"], ids["t"]]
    assert train["attributes"]["outcome"] == "completed"
    assert train["resource"]["attributes"]["service.name"] == "hrnn-tuner-worker"
    lines = [json.loads(line) for line in worker.log.splitlines() if '"attempt ended"' in line]
    (line,) = lines
    job = next(iter(stack.client.list_training_jobs("traced")))
    assert (line["trace_id"], line["training_job"], line["service"]) == (f"{TRACE_ID:032x}", job.name, "worker")
    assert line["tuning_job_id"]


#: A program of a user who traces it: the span around its call is where the trace begins.
CLIENT = """
import json, sys
from hrnn_tuner.client import TuningClient
from hrnn_tuner.telemetry import configure_tracing
from hrnn_tuner.telemetry.tracing import span

configure_tracing(service="client")
with span("nightly tuning") as root, TuningClient(sys.argv[1]) as client:
    client.create_tuning_job(json.load(sys.stdin))
    client.wait("nightly", timeout_s=240)
    print(f"trace {root.get_span_context().trace_id:032x}", file=sys.stderr)  # a thread prints spans meanwhile
"""


@pytest.mark.timeout(330)  # the start of a trainer process and a training, on a busy machine
def test_the_trace_of_a_real_job_is_one_tree_from_the_client_to_the_stored_result(stack: Stack, tmp_path: Path) -> None:
    stack.client.create_tuning_job(synthetic_spec("warm-up", max_training_jobs=2, epoch_seconds=0.2))
    stack.client.wait("warm-up", timeout_s=END_TIMEOUT_S)  # both slots have a trainer that is ready now
    interactions = write_interactions(tmp_path / "interactions.csv")
    spec = hrnn_spec("nightly", interactions, max_training_jobs=1, epochs=2)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, stack.address],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
    )
    (trace_id,) = re.findall(r"^trace (\w+)$", done.stderr, re.MULTILINE)

    def tree() -> list[str]:
        texts = [done.stdout, *(service.log for service in stack.services)]
        return trace_tree(trace_id, [span for text in texts for span in spans_in(text)])

    wait_until(lambda: any("apply ended" in line for line in tree()), 20, "the last span to be exported")
    wait_until(lambda: any("train " in line for line in tree()), 20, "the worker's span to be exported")
    drawn = tree()
    print("\n".join(drawn))  # the README shows it
    shape = [(len(line) - len(line.lstrip()), line.split()[:2]) for line in drawn if "GetTuningJob" not in line]
    # The worker goes on while its start is applied, so the two spans behind the task begin in any order.
    assert sorted((depth // 2, name) for depth, (name, _) in shape) == [
        (0, "nightly"),
        (1, "TuningService/CreateTuningJob"),
        (2, "TuningService/CreateTuningJob"),
        (3, "publish"),
        (4, "apply"),
        (4, "train"),
        (5, "apply"),
    ]
