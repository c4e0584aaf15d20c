"""The allow-list of locations."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnn_tuner.domain.uris import is_allowed


@pytest.mark.parametrize(
    ("uri", "prefixes"),
    [
        ("/data/x.csv", ["/data"]),
        ("/data", ["/data"]),
        ("/data/", ["/data/"]),
        ("file:///data/x.csv", ["/data"]),
        ("/data/x.csv", ["file:///data"]),
        ("/data/a/../b", ["/data"]),
        ("/anything", ["/"]),
        ("s3://bucket/prefix/x", ["s3://bucket/prefix"]),
        ("s3://bucket/prefix/x", ["s3://bucket/"]),
        ("s3://bucket", ["s3://bucket"]),
        ("/b/x", ["/a", "/b"]),
    ],
)
def test_a_location_at_or_below_a_prefix_is_allowed(uri: str, prefixes: list[str]) -> None:
    assert is_allowed(uri, prefixes)


@pytest.mark.parametrize(
    ("uri", "prefixes"),
    [
        ("/database/x", ["/data"]),
        ("/data/../etc/passwd", ["/data"]),
        ("file:///data/../etc/passwd", ["/data"]),
        ("/etc/passwd", []),
        ("/etc/passwd", [""]),
        ("", ["/data"]),
        ("data/x", ["/data"]),
        ("s3://bucket2/x", ["s3://bucket"]),
        ("s3://bucket/prefix2/x", ["s3://bucket/prefix"]),
        ("s3://bucket/prefix/../secret", ["s3://bucket/prefix"]),
        ("s3://bucket/./x", ["s3://bucket"]),
        ("s3:///x", ["s3://bucket"]),
        ("gs://bucket/x", ["s3://bucket"]),
        ("/bucket/x", ["s3://bucket"]),
        ("s3://data/x", ["/data"]),
    ],
)
def test_any_other_location_is_refused(uri: str, prefixes: list[str]) -> None:
    assert not is_allowed(uri, prefixes)


@pytest.mark.parametrize(
    "uri",
    [
        "file:/data/x",
        "file://data/x",
        "file://localhost/data/x",
        "local:///data/x",
        "simplecache::file:///data/x",
        "zip://x.csv::file:///data/x.zip",
        "/data/*/x",
        "/data/x?",
        "/data/[a]",
        "/data/x\n",
        "/data/x\0",
        "S3://bucket/x",
    ],
)
def test_forms_that_a_reader_could_take_otherwise_are_refused(uri: str) -> None:
    assert not is_allowed(uri, ["/data", "s3://bucket"])


def test_a_symbolic_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    assert not is_allowed(f"{inside}/link/x.csv", [str(inside)])


def test_a_step_up_behind_a_symbolic_link_is_refused_however_it_is_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside" / "deep"
    inside.mkdir()
    outside.mkdir(parents=True)
    (inside / "link").symlink_to(outside)
    assert not is_allowed(f"{inside}/link/../x.csv", [str(inside)])


def test_a_prefix_that_is_a_symbolic_link_allows_what_it_points_to(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    assert is_allowed(f"{real}/x.csv", [str(tmp_path / "link")])
    assert is_allowed(f"{tmp_path}/link/x.csv", [str(real)])


def test_a_relative_prefix_is_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_allowed(f"{tmp_path}/artifacts/x", ["artifacts"])
    assert not is_allowed(f"{tmp_path}/other", ["artifacts"])
