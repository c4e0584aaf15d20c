"""Where a request may read and write, and the first look at its data."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hrnn_tuner.client import InvalidRequestError
from tests.support.api import CSV, Api, hrnn_spec_of

CHANNELS = "tuning_job.training_job_definitions[0].data_channels"


def violation(api: Api, spec: dict[str, object]) -> tuple[str, str]:
    """The one violation of a request."""
    with pytest.raises(InvalidRequestError) as caught:
        api.client.create_tuning_job(spec)
    (only,) = caught.value.violations
    assert api.names == []
    return only.field, only.description


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", "", "empty.csv is empty"),
        ("header.csv", "USER_ID,ITEM_ID,TIMESTAMP\n", "has a header and no rows"),
        ("columns.csv", "USER_ID,ITEM_ID\n1,2\n", "is missing the columns: TIMESTAMP; found: USER_ID, ITEM_ID"),
        ("plain.csv.gz", "USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n", "it cannot be read (BadGzipFile"),
        ("cut.csv.gz", gzip.compress(CSV.encode())[:12], "it cannot be read (EOFError"),
    ],
)
def test_unusable_data_are_refused_when_the_job_is_created(
    api: Api, name: str, content: str | bytes, says: str
) -> None:
    path = write(api.data / name, content)
    field, description = violation(api, hrnn_spec_of("job", ("interactions", path)))
    assert field == f"{CHANNELS}[0].uri"
    assert str(path) in description
    assert says in description


def test_missing_data_are_refused(api: Api) -> None:
    path = api.data / "nowhere.csv"
    field, description = violation(api, hrnn_spec_of("job", ("interactions", path)))
    assert (field, description) == (f"{CHANNELS}[0].uri", f"got {str(path)!r}: there is no such file or folder")


def test_a_folder_without_data_files_is_refused(api: Api) -> None:
    folder = write(api.data / "folder" / "notes.txt", "nothing").parent
    _, description = violation(api, hrnn_spec_of("job", ("interactions", folder)))
    assert "has no .csv, .csv.gz or .parquet file" in description


def test_a_gzip_file_and_a_folder_of_files_are_accepted(api: Api) -> None:
    folder = write(api.data / "folder" / "a.csv.gz", gzip.compress(CSV.encode())).parent
    write(folder / "b.csv", CSV)
    api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", folder)))
    assert api.names == ["job"]


@pytest.mark.parametrize("escape", ["/etc/passwd", "{data}/../secret.csv", "{data}/link.csv", "secret.csv", "s3://b/x"])
def test_a_path_outside_the_allowed_prefixes_is_refused_and_never_read(api: Api, escape: str) -> None:
    secret = write(api.folder / "secret.csv", CSV)
    (api.data / "link.csv").symlink_to(secret)
    uri = escape.format(data=api.data)
    field, description = violation(api, hrnn_spec_of("job", ("interactions", uri)))
    assert field == f"{CHANNELS}[0].uri"
    assert description == f"got {uri!r}; allowed: locations below {api.data}"


def test_an_output_outside_the_allowed_prefixes_is_refused(api: Api) -> None:
    path = write(api.data / "a.csv", CSV)
    field, description = violation(api, hrnn_spec_of("job", ("interactions", path), output_uri="/etc/models"))
    assert field == "tuning_job.training_job_definitions[0].output_uri"
    assert "got '/etc/models'" in description


def test_a_required_channel_must_be_given(api: Api) -> None:
    field, description = violation(api, hrnn_spec_of("job"))
    assert field == CHANNELS
    assert "'interactions' is missing" in description


def test_unknown_and_repeated_channels_are_refused(api: Api) -> None:
    path = write(api.data / "a.csv", CSV)
    field, description = violation(api, hrnn_spec_of("job", ("interactions", path), ("clicks", path)))
    assert (field, "got 'clicks'" in description) == (f"{CHANNELS}[1].name", True)
    field, description = violation(api, hrnn_spec_of("job", ("interactions", path), ("interactions", path)))
    assert (field, "twice" in description) == (f"{CHANNELS}[1].name", True)
