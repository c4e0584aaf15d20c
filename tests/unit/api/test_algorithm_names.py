"""Algorithms by other names: accepted wherever one is named, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import json_format

from api_service import from_proto, to_proto
from api_service.validation import check_tuning_job
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.algorithms.hrnn import ALGORITHM as HRNN
from hrnn_tuner.algorithms.hrnn_metadata import ALGORITHM as HRNN_METADATA
from hrnn_tuner.domain.errors import InvalidRequest
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import CSV, hrnn_spec_of

REGISTRY = AlgorithmRegistry([HRNN, HRNN_METADATA])


def _request(folder: Path, algorithm: str) -> tuple[pb.CreateTuningJobRequest, Settings]:
    (folder / "interactions.csv").write_text(CSV)
    spec = hrnn_spec_of("job", ("interactions", folder / "interactions.csv"), algorithm=algorithm)
    request = json_format.ParseDict({"tuning_job": spec}, pb.CreateTuningJobRequest())
    return request, Settings(data_prefixes=(str(folder),), artifacts_url=str(folder))


@pytest.mark.parametrize("name", ["hrnn", *HRNN.aliases])
def test_a_checked_request_is_stored_under_the_algorithms_own_name(tmp_path: Path, name: str) -> None:
    request, settings = _request(tmp_path, name)
    checked = check_tuning_job(request, REGISTRY, settings)
    assert REGISTRY[name] is HRNN
    spec = from_proto.domain_spec(
        checked.tuning_job, algorithms=REGISTRY, max_training_jobs=1, max_resource=None, seed=1, settings=settings
    )
    assert [definition.algorithm for definition in spec.definitions] == ["hrnn"]


def test_an_unknown_name_is_answered_with_the_names_and_no_aliases(tmp_path: Path) -> None:
    request, settings = _request(tmp_path, "arn:aws:personalize:::recipe/aws-sims")
    with pytest.raises(InvalidRequest) as caught:
        check_tuning_job(request, REGISTRY, settings)
    (violation,) = caught.value.violations
    assert violation.description == "got 'arn:aws:personalize:::recipe/aws-sims'; allowed: hrnn, hrnn-metadata"


def test_a_declaration_says_its_aliases_and_what_metadata_it_takes() -> None:
    shown = to_proto.algorithm(HRNN_METADATA)
    assert (shown.name, list(shown.aliases)) == ("hrnn-metadata", list(HRNN_METADATA.aliases))
    assert shown.needs_metadata
    limits = {item.name: (item.min_metadata_columns, item.max_metadata_columns) for item in shown.channels}
    assert limits == {"interactions": (0, 5), "users": (1, 5), "items": (1, 50)}
    plain = to_proto.algorithm(HRNN)
    assert not plain.needs_metadata
    assert plain.channels[0].max_metadata_columns == 0
