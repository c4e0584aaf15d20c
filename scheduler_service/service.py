"""The scheduler: its threads and how they wake each other."""

from __future__ import annotations

import secrets
import socket
from datetime import timedelta
from importlib.util import find_spec

import structlog

from hrnn_tuner.broker import Broker, Delivery, Subscription
from hrnn_tuner.broker.topology import JOBS_QUEUE
from hrnn_tuner.domain.clock import Clock, utc_now
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from scheduler_service import retention
from scheduler_service.completion import Completion
from scheduler_service.dead_letters import DeadLetters
from scheduler_service.early_stopping import Judge, MedianActivation
from scheduler_service.ingest_health import IngestHealth
from scheduler_service.ingester import Ingester
from scheduler_service.outgoing import Outgoing
from scheduler_service.oversight import PlanningRound, Reaper
from scheduler_service.planner import Planner
from scheduler_service.proposing import Proposer
from scheduler_service.relay import Relay
from scheduler_service.retention import Retention
from scheduler_service.wakeup import PeriodicThread, Wakeup

_LOG = structlog.get_logger(__name__)
_HINT_PREFETCH = 64
#: Longest pause between two looks at leases, and the share of a lease that it is at most.
_REAPER_INTERVAL_S = 2.0
_LEASE_SHARE = 6


class SchedulerService:
    """One scheduler. Any number may run at a time: the database's row locks keep every limit."""

    def __init__(self, settings: Settings, store: Store, broker: Broker, *, clock: Clock = utc_now) -> None:
        """Takes what it works with; the caller closes store and broker after `stop`."""
        self.id = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        lease_ttl = timedelta(seconds=settings.lease_ttl_s)
        planning_wakeup = Wakeup()
        self._proposer = Proposer(store, planning_wakeup)
        planner = Planner(worker_ttl=lease_ttl, proposer=self._proposer)
        activation = MedianActivation(settings.early_stopping_min_epoch, settings.early_stopping_min_training_jobs)
        health = IngestHealth()
        self._broker = broker
        self._planning_wakeup = planning_wakeup
        self._outgoing = Outgoing(broker)
        self._relay = relay = Relay(store=store, broker=broker, outgoing=self._outgoing, clock=clock)
        self._ingester = Ingester(
            store=store,
            broker=broker,
            planner=planner,
            judge=Judge(activation),
            completion=Completion(settings.min_relative_improvement),
            outgoing=self._outgoing,
            health=health,
            scheduler_id=self.id,
            clock=clock,
            relay=relay,
            planning=planning_wakeup,
            log_bytes=settings.training_job_log_bytes,
        )
        planning = PlanningRound(
            store=store,
            planner=planner,
            outgoing=self._outgoing,
            clock=clock,
            relay=relay,
            control_resend=timedelta(seconds=settings.control_resend_s),
        )
        reaper = Reaper(
            store=store,
            broker=broker,
            planner=planner,
            outgoing=self._outgoing,
            health=health,
            scheduler_id=self.id,
            clock=clock,
            relay=relay,
            lease_ttl=lease_ttl,
        )
        self._dead_letters = DeadLetters(
            store=store, broker=broker, planner=planner, outgoing=self._outgoing, clock=clock, relay=relay
        )
        self._threads = [
            PeriodicThread(
                "scheduler-planner", planning.run, interval_s=settings.planner_interval_s, wakeup=planning_wakeup
            ),
            PeriodicThread(
                "scheduler-reaper",
                reaper.run,
                interval_s=min(_REAPER_INTERVAL_S, settings.lease_ttl_s / _LEASE_SHARE),
            ),
        ]
        kept = retention.ages(settings)
        if kept:
            sweep = Retention(store=store, clock=clock, relay=relay, ages=kept)
            self._threads.append(PeriodicThread("scheduler-retention", sweep.run, interval_s=retention.INTERVAL_S))
        self._hints: Subscription | None = None

    def start(self) -> None:
        """Starts everything; what was left undone by a scheduler before is taken up at once."""
        self._outgoing.start()
        self._relay.start()
        self._proposer.start()
        self._ingester.start()
        self._dead_letters.start()
        for thread in self._threads:
            thread.start()
        self._hints = self._broker.subscribe(JOBS_QUEUE, self._hint, prefetch=_HINT_PREFETCH)
        if find_spec("botorch") is None:
            text = "BAYESIAN and BAYESIAN_ASHA propose at random: the extra 'bayesian' is not installed"
            _LOG.warning(text, advice="pip install 'hrnn-tuner[bayesian]'")
        _LOG.info("scheduler started", scheduler_id=self.id)

    def stop(self) -> None:
        """Stops everything; nothing that was confirmed is lost."""
        if self._hints is not None:
            self._hints.cancel()
        self._ingester.stop()
        self._dead_letters.stop()
        for thread in self._threads:
            thread.stop()
        self._proposer.stop()
        self._relay.stop()
        self._outgoing.stop()
        _LOG.info("scheduler stopped", scheduler_id=self.id)

    def _hint(self, delivery: Delivery) -> None:
        """A tuning job was created, stopped or deleted."""
        delivery.ack()
        self._planning_wakeup.set()
