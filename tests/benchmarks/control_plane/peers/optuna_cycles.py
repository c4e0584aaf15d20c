"""Optuna as a control plane: a client's cycles, a study's history, the proxy; runs in an environment of its own.

A cycle is what a user's worker does around a training: ask, six suggestions, tell. Nothing is trained.
"""

from __future__ import annotations

import argparse
import datetime
import json
import time
from concurrent.futures import ThreadPoolExecutor

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import BaseStorage, GrpcStorageProxy, RDBStorage, run_grpc_proxy_server
from optuna.storages._rdb import models
from optuna.trial import Trial, TrialState
from sqlalchemy import insert

PARAMETERS = {
    "learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
    "dropout": optuna.distributions.FloatDistribution(0.0, 0.5),
    "momentum": optuna.distributions.FloatDistribution(0.0, 1.0),
    "hidden_dimension": optuna.distributions.IntDistribution(32, 512),
    "layers": optuna.distributions.IntDistribution(1, 8),
    "loss": optuna.distributions.CategoricalDistribution(("cross-entropy", "bpr", "top1")),
}


def opened(url: str) -> BaseStorage:
    """A database, or with ``grpc://host:port`` the proxy in front of one."""
    if url.startswith("grpc://"):
        host, _, port = url.removeprefix("grpc://").rpartition(":")
        return GrpcStorageProxy(host=host, port=int(port))
    return RDBStorage(url)


def suggested(trial: Trial) -> dict[str, float]:
    """Asks for each parameter, as a user's objective function does."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "momentum": trial.suggest_float("momentum", 0.0, 1.0),
        "hidden_dimension": trial.suggest_int("hidden_dimension", 32, 512),
        "layers": trial.suggest_int("layers", 1, 8),
        "loss": trial.suggest_categorical("loss", ("cross-entropy", "bpr", "top1")),
    }


def fill(url: str, study_name: str, trials: int) -> None:
    """A study with completed trials, written as rows: one by one Optuna would take minutes."""
    storage = RDBStorage(url)
    optuna.create_study(storage=storage, study_name=study_name, direction="maximize")
    study_id = storage.get_study_id_from_name(study_name)
    now = datetime.datetime.now()
    with storage.engine.begin() as connection:
        found = connection.execute(
            insert(models.TrialModel).returning(models.TrialModel.trial_id, sort_by_parameter_order=True),
            [
                {
                    "number": number,
                    "study_id": study_id,
                    "state": TrialState.COMPLETE,
                    "datetime_start": now,
                    "datetime_complete": now,
                }
                for number in range(trials)
            ],
        )
        ids = list(found.scalars())
        parameters = [
            {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": 0.0 if name == "loss" else distribution.low + 1e-6 * place,
                "distribution_json": distribution_to_json(distribution),
            }
            for place, trial_id in enumerate(ids)
            for name, distribution in PARAMETERS.items()
        ]
        connection.execute(insert(models.TrialParamModel), parameters)
        finite = models.TrialValueModel.TrialValueType.FINITE
        values = [
            {"trial_id": trial_id, "objective": 0, "value": 1e-6 * place, "value_type": finite}
            for place, trial_id in enumerate(ids)
        ]
        connection.execute(insert(models.TrialValueModel), values)


def work(url: str, study_name: str, seconds: float) -> None:
    """Cycles for some seconds; prints how long it was, how long each took, and its processor time, in seconds."""
    study = optuna.load_study(storage=opened(url), study_name=study_name, sampler=optuna.samplers.RandomSampler())
    study.tell(_asked(study), 0.0)  # not counted: everything is connected and loaded
    print("ready", flush=True)
    input()
    took: list[float] = []
    began, used = time.monotonic(), time.process_time()
    now = began
    while now - began < seconds:
        trial = _asked(study)
        study.tell(trial, trial.params["learning_rate"])
        before, now = now, time.monotonic()
        took.append(now - before)
    print(json.dumps({"seconds": now - began, "took": took, "cpu": time.process_time() - used}), flush=True)


def _asked(study: optuna.Study) -> Trial:
    """A trial with its parameters."""
    trial = study.ask()
    suggested(trial)
    return trial


def main() -> None:
    """Does one of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("fill", "work", "serve"))
    parser.add_argument("--storage", required=True)
    parser.add_argument("--study", default="")
    parser.add_argument("--trials", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if arguments.what == "fill":
        fill(arguments.storage, arguments.study, arguments.trials)
    elif arguments.what == "work":
        work(arguments.storage, arguments.study, arguments.seconds)
    else:
        threads = ThreadPoolExecutor(max_workers=16)
        run_grpc_proxy_server(RDBStorage(arguments.storage), host="127.0.0.1", port=arguments.port, thread_pool=threads)


if __name__ == "__main__":
    main()
