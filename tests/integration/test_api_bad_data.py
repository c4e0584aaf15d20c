"""Wrong channels, data and places: refused at creation, before anything is trained."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hrnn_tuner.store import Store
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, running_api, spec_of
from tests.support.bad_data import CHANNEL, Maker, file_of, folder_of, violations
from tests.support.bad_requests import FIRST

BAD_DATA: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "no such file": (lambda folder: folder / "none.csv", ("none.csv", "there is no such file or folder")),
    "empty file": (file_of("empty.csv", b""), ("empty.csv is empty",)),
    "empty folder": (folder_of(), ("the folder has no .csv, .csv.gz or .parquet file",)),
    "folder of other files": (folder_of(file_of("notes.txt", b"x")), ("the folder has no .csv",)),
    "one bad file in a folder": (
        folder_of(file_of("a.csv", CSV.encode()), file_of("b.csv", b"USER_ID\n1\n")),
        ("b.csv is missing the columns: ITEM_ID, TIMESTAMP",),
    ),
    "wrong columns": (
        file_of("wrong.csv", b"user,item\n1,2\n"),
        ("missing the columns: USER_ID, ITEM_ID, TIMESTAMP", "found: user, item"),
    ),
    "header without rows": (file_of("head.csv", b"USER_ID,ITEM_ID,TIMESTAMP\n"), ("has a header and no rows",)),
    "header and blank lines": (file_of("head.csv", b"USER_ID,ITEM_ID,TIMESTAMP\n\n\n"), ("a header and no rows",)),
    "not gzip": (file_of("plain.csv.gz", CSV.encode()), ("cannot be read", "gzip")),
    "cut gzip": (file_of("cut.csv.gz", gzip.compress(CSV.encode())[:-12]), ("cannot be read",)),
    "binary file": (file_of("noise.csv", bytes(range(256)) * 4), ("noise.csv",)),
    "carriage returns only": (file_of("mac.csv", CSV.replace("\n", "\r").encode()), ("mac.csv",)),
}


@pytest.mark.parametrize("kind", BAD_DATA)
def test_unusable_data_are_refused_with_the_place_and_the_reason(api: Api, kind: str) -> None:
    make, says = BAD_DATA[kind]
    uri = make(api.data)
    ((field, description),) = violations(api, hrnn_spec_of("job", ("interactions", uri)))
    assert field == f"{CHANNEL}.uri"
    for text in (repr(str(uri)), *says):
        assert text in description


@pytest.mark.parametrize(
    "make",
    [
        file_of("good.csv", CSV.encode()),
        file_of("good.csv", b"\xef\xbb\xbf" + CSV.encode()),
        file_of("good.csv", CSV.replace("\n", "\r\n").encode()),
        file_of("good.csv.gz", gzip.compress(CSV.encode())),
        folder_of(file_of("a.csv", CSV.encode()), file_of("b.csv.gz", gzip.compress(CSV.encode()))),
    ],
    ids=["plain", "byte order mark", "carriage returns", "gzip", "folder"],
)
def test_usable_data_are_accepted(api: Api, make: Maker) -> None:
    api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", make(api.data))))
    assert api.names == ["job"]


def outside(api: Api, kind: str) -> str:
    """A place outside the allowed prefix, with good data in it."""
    beside = api.folder / "beside"
    beside.mkdir()
    (beside / "good.csv").write_text(CSV)
    (api.data / "link").symlink_to(beside)
    return {
        "another folder": str(beside / "good.csv"),
        "a file of the system": "/etc/passwd",
        "an object store": "s3://bucket/good.csv",
        "two dots": f"{api.data}/../beside/good.csv",
        "a link": f"{api.data}/link/good.csv",
        "a longer name": f"{api.data}base/good.csv",
        "a relative path": "beside/good.csv",
        "another scheme": "http://127.0.0.1/good.csv",
        "a chain": f"simplecache::{beside}/good.csv",
        "a wildcard": f"{api.data}/*.csv",
    }[kind]


OUTSIDE = [
    "another folder",
    "a file of the system",
    "an object store",
    "two dots",
    "a link",
    "a longer name",
    "a relative path",
    "another scheme",
    "a chain",
    "a wildcard",
]


@pytest.mark.parametrize("kind", OUTSIDE)
def test_data_outside_the_prefixes_are_refused_unread(api: Api, kind: str) -> None:
    uri = outside(api, kind)
    found = violations(api, hrnn_spec_of("job", ("interactions", uri)))
    assert found == [(f"{CHANNEL}.uri", f"got {uri!r}; allowed: locations below {api.data}")]


@pytest.mark.parametrize("kind", OUTSIDE)
def test_output_outside_the_prefixes_is_refused(api: Api, kind: str) -> None:
    spec = spec_of()
    definition_of(spec)["output_uri"] = uri = outside(api, kind)
    ((field, description),) = violations(api, spec)
    assert field == f"{FIRST}.output_uri"
    assert repr(uri) in description
    assert str(api.data) in description


@pytest.mark.parametrize("kind", OUTSIDE)
def test_checkpoints_outside_the_prefixes_are_refused(api: Api, kind: str) -> None:
    spec = spec_of()
    uri = outside(api, kind)
    definition_of(spec)["checkpoint_config"] = {"uri": uri}
    ((field, description),) = violations(api, spec)
    assert field == f"{FIRST}.checkpoint_config.uri"
    assert repr(uri) in description


def test_a_runtime_limit_and_a_place_for_checkpoints_are_shown_as_they_were_given(api: Api) -> None:
    spec = spec_of()
    uri = str(api.data / "checkpoints")
    definition_of(spec)["stopping_condition"] = {"max_runtime_in_seconds": 60}
    definition_of(spec)["checkpoint_config"] = {"uri": uri}
    api.client.create_tuning_job(spec)
    (shown,) = api.client.get_tuning_job("job").spec.training_job_definitions
    assert shown.stopping_condition.max_runtime_in_seconds == 60
    assert shown.checkpoint_config.uri == uri


def test_a_link_inside_a_folder_does_not_show_a_file_outside(api: Api) -> None:
    secret = api.folder / "secret.csv"
    secret.write_text("hunter2\n")
    (api.data / "many").mkdir()
    (api.data / "many" / "a.csv").symlink_to(secret)
    ((field, description),) = violations(api, hrnn_spec_of("job", ("interactions", api.data / "many")))
    assert field == f"{CHANNEL}.uri"
    assert "hunter2" not in description
    assert "a.csv" in description


def test_a_store_whose_driver_is_missing_or_away_is_a_violation_and_no_crash(
    tmp_path: Path, sqlite_store: Store
) -> None:
    with running_api(tmp_path, sqlite_store, data_prefixes=("made-up://bucket",)) as api:
        ((field, description),) = violations(api, hrnn_spec_of("job", ("interactions", "made-up://bucket/x.csv")))
    assert field == f"{CHANNEL}.uri"
    assert "made-up://bucket/x.csv" in description


def test_an_unknown_channel_is_refused_with_a_hint(api: Api) -> None:
    (api.data / "good.csv").write_text(CSV)
    good = api.data / "good.csv"
    found = violations(api, hrnn_spec_of("job", ("interactions", good), ("interaction", good)))
    assert found == [
        (
            f"{FIRST}.data_channels[1].name",
            "got 'interaction'; did you mean 'interactions'? allowed: interactions",
        )
    ]


def test_a_channel_of_hrnn_is_unknown_to_another_algorithm(api: Api) -> None:
    spec = spec_of()
    definition_of(spec)["data_channels"] = [{"name": "users", "uri": f"{api.data}/users.csv"}]
    assert violations(api, spec) == [(f"{FIRST}.data_channels[0].name", "got 'users'; allowed: interactions")]


def test_a_channel_that_comes_twice_is_refused(api: Api) -> None:
    (api.data / "good.csv").write_text(CSV)
    good = api.data / "good.csv"
    found = violations(api, hrnn_spec_of("job", ("interactions", good), ("interactions", good)))
    assert found == [(f"{FIRST}.data_channels[1].name", "got 'interactions' twice; allowed: different names")]


def test_a_missing_channel_is_named_with_what_it_is_for(api: Api) -> None:
    ((field, description),) = violations(api, hrnn_spec_of("job"))
    assert field == f"{FIRST}.data_channels"
    assert "channel 'interactions' is missing; hrnn needs it" in description


def test_a_server_without_a_place_for_artifacts_asks_for_one(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, artifacts_url="") as api:
        ((field, description),) = violations(api, spec_of())
    assert field == f"{FIRST}.output_uri"
    assert "no default" in description


def test_data_are_not_looked_at_when_the_operator_says_so(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, verify_data=False) as api:
        api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", api.data / "comes-later.csv")))
        assert api.names == ["job"]
