"""RabbitMQ: its version, its queues, and who listens to them.

Its ``consumer_timeout`` cannot be read over AMQP, and does not matter: a task is acknowledged when it is taken up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hrnn_tuner.broker.topology import DEAD_QUEUE, build_topology, reports_queue
from hrnn_tuner.doctor.contract import Finding, ok, problem, warning
from hrnn_tuner.doctor.versions import parts
from hrnn_tuner.settings import Settings

if TYPE_CHECKING:
    from hrnn_tuner.broker.amqp_pika import Connection

_OLDEST = (3, 10)


def check(settings: Settings) -> Sequence[Finding]:
    """Connects and asks for every queue.

    Raises:
        Exception: What pika raises when it cannot connect.
    """
    try:
        from hrnn_tuner.broker.amqp_pika import open_connection, parse_url, server_version
    except ImportError as error:
        return [
            warning(f"not looked at: {error}", "run it where a service is installed: pip install 'hrnn-tuner[api]'")
        ]
    connection = open_connection(parse_url(settings.broker_url, "doctor"))
    try:
        version = server_version(connection)
        if parts(version) < _OLDEST:
            return [problem(f"RabbitMQ {version}", "upgrade it: 3.10 is the oldest that has what is needed")]
        return [ok(f"RabbitMQ {version}"), *_queues(connection, settings)]
    finally:
        connection.close()


def _queues(connection: Connection, settings: Settings) -> list[Finding]:
    """What is to say about the queues."""
    from hrnn_tuner.broker.amqp_pika import ChannelClosedByBroker

    wanted = [queue.name for queue in build_topology(settings.resource_classes).queues]
    missing, consumers, waiting = [], {}, {}
    for name in wanted:
        channel = connection.channel()
        try:
            found = channel.queue_declare(name, passive=True).method
        except ChannelClosedByBroker:  # which closes the channel only
            missing.append(name)
            continue
        consumers[name], waiting[name] = found.consumer_count, found.message_count
        channel.close()
    if missing:
        return [warning(f"queues are missing: {', '.join(missing)}", "start the services, which declare them")]
    findings = [ok(f"{len(wanted)} queues, {sum(waiting.values())} messages wait")]
    if not consumers[reports_queue()]:
        findings.append(warning("no scheduler listens to the reports", "start one: python -m scheduler_service"))
    if waiting[DEAD_QUEUE]:
        advice = "a scheduler moves them into the table dead_messages: start one, and look there and at its log"
        findings.append(warning(f"{waiting[DEAD_QUEUE]} dead letters wait", advice))
    return findings
