"""Tokens: whatever text comes in, the answer is a position or a refusal that names the field."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_service.tokens import page_cursor, page_token, resume_revision, resume_token
from hrnn_tuner.domain.errors import InvalidRequest, OutOfRange
from hrnn_tuner.v1.tuning_service_pb2 import ListTuningJobsRequest

BASE64 = st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
NESTED = [base64.urlsafe_b64encode(b"[" * depth).decode() for depth in (700, 6000)]


@given(job=st.uuids().map(str), revision=st.integers(0, 2**63 - 1))
def test_a_resume_token_comes_back_as_its_revision(job: str, revision: int) -> None:
    assert resume_revision(resume_token(job, revision), job, revision) == revision


@given(job=st.uuids().map(str), other=st.uuids().map(str), revision=st.integers(0, 2**63 - 1))
def test_a_resume_token_of_another_job_is_refused(job: str, other: str, revision: int) -> None:
    if job != other:
        with pytest.raises(InvalidRequest, match="resume_token"):
            resume_revision(resume_token(other, revision), job, revision)


def test_a_resume_token_ahead_of_the_log_is_out_of_range() -> None:
    with pytest.raises(OutOfRange) as caught:
        resume_revision(resume_token("job", 8), "job", 7)
    assert caught.value.reason == "RESUME_TOKEN_EXPIRED"


@given(token=(st.text(min_size=1) | BASE64).filter(bool))
def test_any_text_is_refused_by_name_and_never_an_internal_error(token: str) -> None:
    with pytest.raises(InvalidRequest, match="resume_token"):
        resume_revision(token, "job", 7)
    if "\ud800" <= max(token) <= "\udfff":
        return  # protobuf carries no lone surrogates
    with pytest.raises(InvalidRequest, match="page_token"):
        page_cursor(ListTuningJobsRequest(page_token=token))


@pytest.mark.parametrize("token", NESTED, ids=["700 deep", "6000 deep"])
def test_a_token_nested_too_deep_to_parse_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match="page_token"):
        page_cursor(ListTuningJobsRequest(page_token=token))
    with pytest.raises(InvalidRequest, match="resume_token"):
        resume_revision(token, "job", 7)


@given(cursor=st.lists(st.integers() | st.text(), min_size=1, max_size=3), size=st.integers(1, 100))
def test_a_page_token_comes_back_as_its_cursor_for_any_page_size(cursor: list[int | str], size: int) -> None:
    token = page_token(ListTuningJobsRequest(name_contains="a"), tuple(cursor))
    assert page_cursor(ListTuningJobsRequest(name_contains="a", page_size=size, page_token=token)) == tuple(cursor)
    with pytest.raises(InvalidRequest, match="page_token"):
        page_cursor(ListTuningJobsRequest(name_contains="b", page_token=token))
