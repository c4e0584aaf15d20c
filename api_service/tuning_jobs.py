"""What can be done with tuning jobs. Blocking; called on the database threads."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace

from api_service import from_proto
from api_service.best import Best, best_of, counts_parents, with_parents
from api_service.quotas import check_room
from api_service.validation import Checked, check_tuning_job
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidRequest,
    NotFound,
    Violation,
)
from hrnn_tuner.domain.identifiers import time_ordered_id
from hrnn_tuner.domain.states import TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.domain.warm_start import MAX_PARENTS, Parent
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import JobChange, Page, Store, StoredParent, Transaction, TuningJobQuery
from hrnn_tuner.store.paging import Cursor
from hrnn_tuner.telemetry import traceparent
from hrnn_tuner.v1 import tuning_service_pb2

#: Drawn seeds stay below 2^53, which every client language can hold exactly.
_SEED_BITS = 53


def find(tx: Transaction, project: str, name: str) -> TuningJob:
    """Reads a tuning job of a project by name.

    Raises:
        NotFound: When there is none; those of other projects are not there either.
    """
    job = tx.tuning_jobs.by_name(project, name)
    if job is None:
        raise NotFound(f"there is no tuning job named {name!r}", metadata={"tuning_job": name})
    return job


class TuningJobs:
    """The use cases, each in the project of its caller. Thread-safe."""

    def __init__(self, store: Store, algorithms: AlgorithmRegistry, settings: Settings, clock: Clock) -> None:
        """Takes what they work with."""
        self._store = store
        self._algorithms = algorithms
        self._settings = settings
        self._clock = clock

    def create(self, project: str, request: tuning_service_pb2.CreateTuningJobRequest) -> tuple[TuningJob, Best, bool]:
        """Validates and stores a tuning job.

        Returns:
            The job, its best training jobs, which a new one may have from its parents, and whether it is new: the same
            request id with the same body gives the same job again.

        Raises:
            InvalidRequest: With all violations.
            AlreadyExists: When the name is taken, or the request id was used with another body.
            LimitExceeded: When the project would hold more than its quotas.
        """
        digest = _digest(request)
        known = self._created_before(project, request, digest)
        if known is not None:
            return *known, False
        checked = check_tuning_job(request, self._algorithms, self._settings, self._parents(project, request))
        job = self._build(project, checked)
        if request.validate_only:
            with self._store.read() as tx:
                if tx.tuning_jobs.by_name(project, job.spec.name) is not None:
                    raise _name_taken(job)
                check_room(tx, job, self._settings)
                return job, _best_of_new(tx, job, checked.parents), False
        try:
            with self._store.write() as tx:
                tx.tuning_jobs.lock_creation()
                check_room(tx, job, self._settings)
                ended = _locked(tx, checked.parents)
                change = tx.create(job, request_id=request.request_id or None, request_hash=digest)
                tx.parents.copy(job.id, ended)
                change.decide("CREATED", 0, f"{job.spec.strategy.value}, seed {job.spec.seed}")
                change.write()
                best = best_of(tx, change.job)
                failpoint("api.create.locked")
        except AlreadyExists as error:
            known = self._created_before(project, request, digest)  # perhaps the same request, sent twice at a time
            if known is not None:
                return *known, False
            raise _name_taken(job) from error
        failpoint("api.create.committed")
        return change.job, best, True

    def get(self, project: str, name: str) -> tuple[TuningJob, Best]:
        """A tuning job and its best training jobs."""
        with self._store.read() as tx:
            job = find(tx, project, name)
            return job, best_of(tx, job)

    def page(
        self, query: TuningJobQuery, *, after: Cursor | None, limit: int
    ) -> tuple[Page[TuningJob], dict[str, Best]]:
        """A page of tuning jobs, of the query's project, and the best training jobs of each by id."""
        with self._store.read() as tx:
            page = tx.tuning_jobs.page(query, after=after, limit=limit)
            return page, {job.id: best_of(tx, job) for job in page.rows}

    def stop(self, project: str, name: str) -> tuple[TuningJob, Best]:
        """Asks a tuning job to stop.

        Raises:
            FailedPrecondition: When it has ended already otherwise.
        """
        with self._store.write() as tx:
            change = self._change(tx, project, name)
            state = change.job.state
            if state is TuningJobState.IN_PROGRESS:
                change.job = change.job.enter(TuningJobState.STOPPING, change.now)
                change.decide("STOP_REQUESTED", 0, "a client asked for it")
                for job in tx.training_jobs.active(change.job.id):
                    change.put(job, job.stop_requested("the tuning job was stopped", change.now))
                change.write()
            elif state not in {TuningJobState.STOPPING, TuningJobState.STOPPED}:
                raise FailedPrecondition(f"tuning job {name!r} has ended already: it is {state.value}")
            return change.job, best_of(tx, change.job)

    def delete(self, project: str, name: str) -> str:
        """Marks an ended tuning job for deletion by the scheduler; returns its id.

        Raises:
            FailedPrecondition: When it has not ended.
        """
        with self._store.write() as tx:
            change = self._change(tx, project, name)
            state = change.job.state
            if state is not TuningJobState.DELETING:
                if not state.terminal:
                    raise FailedPrecondition(f"tuning job {name!r} is not in a terminal state: it is {state.value}")
                change.job = change.job.enter(TuningJobState.DELETING, change.now)
                change.write()
            return change.job.id

    def tag(self, project: str, name: str, add: dict[str, str], remove: list[str]) -> TuningJob:
        """Changes the tags of a tuning job.

        Raises:
            InvalidRequest: When there would be too many.
        """
        with self._store.write() as tx:
            change = self._change(tx, project, name)
            tags = {key: value for key, value in change.job.tags.items() if key not in remove} | add
            if len(tags) > self._settings.max_tags:
                text = f"there would be {len(tags)} tags; allowed: {self._settings.max_tags} (max_tags)"
                raise InvalidRequest([Violation("tags", text, "TOO_MANY")])
            change.job = replace(change.job, tags=tags)
            change.write()
            return change.job

    def _change(self, tx: Transaction, project: str, name: str) -> JobChange:
        """Locks a tuning job by name."""
        change = tx.change(find(tx, project, name).id, self._clock())
        if change is None:  # deleted in between
            raise NotFound(f"there is no tuning job named {name!r}", metadata={"tuning_job": name})
        return change

    def _created_before(
        self, project: str, request: tuning_service_pb2.CreateTuningJobRequest, digest: str
    ) -> tuple[TuningJob, Best] | None:
        """The job that this very request created already, and its best training jobs.

        Raises:
            AlreadyExists: When another request with this id did.
        """
        if not _may_exist(request.request_id):
            return None
        with self._store.read() as tx:
            known = tx.tuning_jobs.by_request(project, request.request_id)
            if known is None:
                return None
            job, known_digest = known
            best = best_of(tx, job)
        if known_digest != digest:
            text = f"request_id {request.request_id!r} was used for another request, which created {job.spec.name!r}"
            raise AlreadyExists(text, reason="REQUEST_ID_REUSED", metadata={"tuning_job": job.spec.name})
        return job, best

    def _parents(self, project: str, request: tuning_service_pb2.CreateTuningJobRequest) -> dict[str, TuningJob]:
        """The tuning jobs, by name in lower case, that a warm start names, as far as they exist."""
        names = request.tuning_job.warm_start_config.parent_tuning_job_names[:MAX_PARENTS]
        if not names:
            return {}
        with self._store.read() as tx:
            found = {name.lower(): tx.tuning_jobs.by_name(project, name) for name in names if _may_exist(name)}
        return {name: parent for name, parent in found.items() if parent is not None}

    def _build(self, project: str, checked: Checked) -> TuningJob:
        """The new tuning job."""
        now = self._clock()
        spec = from_proto.domain_spec(
            checked.tuning_job,
            algorithms=self._algorithms,
            max_training_jobs=checked.max_training_jobs,
            max_resource=checked.max_resource,
            seed=secrets.randbits(_SEED_BITS),
            settings=self._settings,
            parents=[Parent(parent.id, parent.spec.name) for parent in checked.parents],
        )
        return TuningJob(
            id=time_ordered_id(now),
            spec=spec,
            state=TuningJobState.IN_PROGRESS,
            created_at=now,
            updated_at=now,
            tags=dict(checked.tuning_job.tags),
            warnings=checked.warnings,
            choices=checked.choices,
            trace=traceparent(),
            project=project,
        )


def _locked(tx: Transaction, parents: Sequence[TuningJob]) -> list[tuple[TuningJob, TrainingJob | None]]:
    """Keeps parents from being deleted until the transaction ends; returns each with its best training job.

    Raises:
        InvalidRequest: When one was deleted since it was checked; what has ended changes in no other way.
    """
    locked = {parent_id: tx.tuning_jobs.lock(parent_id) for parent_id in sorted(parent.id for parent in parents)}
    gone = []
    for index, parent in enumerate(parents):
        current = locked[parent.id]
        if current is None or not current.state.terminal:
            path = f"tuning_job.warm_start_config.parent_tuning_job_names[{index}]"
            gone.append(Violation(path, f"{parent.spec.name!r} was deleted just now", "UNKNOWN_TUNING_JOB"))
    if gone:
        raise InvalidRequest(gone)
    return [(parent, best_of(tx, parent).own) for parent in parents]


def _best_of_new(tx: Transaction, job: TuningJob, parents: Sequence[TuningJob]) -> Best:
    """What `best_of` would say of a tuning job if it were stored."""
    stored = [StoredParent(Parent(parent.id, parent.spec.name), best_of(tx, parent).own) for parent in parents]
    return with_parents(job, None, stored if counts_parents(job) else [])


def _may_exist(text: str) -> bool:
    """Whether a database can be asked about a name or an id that was not validated; validation tells what is wrong."""
    return bool(text) and "\0" not in text


def _name_taken(job: TuningJob) -> AlreadyExists:
    """The error for a name that another tuning job has."""
    text = f"a tuning job named {job.spec.name!r} exists already; names are unique without regard to case"
    return AlreadyExists(text, reason="NAME_TAKEN", metadata={"tuning_job": job.spec.name})


def _digest(request: tuning_service_pb2.CreateTuningJobRequest) -> str:
    """Hash of what a request asks for."""
    return hashlib.sha256(request.tuning_job.SerializeToString(deterministic=True)).hexdigest()
