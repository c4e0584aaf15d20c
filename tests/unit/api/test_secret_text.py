from __future__ import annotations

import base64
import random

import pytest

from api_service.validation import secret_text
from hrnn_tuner.client import parse_request
from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import new_token
from hrnn_tuner.domain.errors import InvalidRequest
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.tuning import START

_LETTERS = random.Random(7)


def letters(count: int, alphabet: str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ") -> str:
    return "".join(_LETTERS.choice(alphabet) for _ in range(count))


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# Put together here: a scanner of repositories takes whole ones for leaks.
SECRETS = {
    "an AWS access key": "AKIA" + letters(16, "ABCDEFGHIJKLMNOP"),
    "a GitHub token": "ghp_" + letters(36),
    "a GitLab token": "glpat-" + letters(20),
    "a Slack token": "xoxb-" + letters(24),
    "a Slack webhook": "https://hooks.slack.com/services/" + letters(9) + "/" + letters(24),
    "a Stripe key": "sk_live_" + letters(24),
    "a Google API key": "AIza" + letters(35),
    "a Google access token": "ya29." + letters(60),
    "a Hugging Face token": "hf_" + letters(34),
    "a PyPI token": "pypi-" + letters(80),
    "an npm token": "npm_" + letters(36),
    "a JSON web token": ".".join([encoded('{"alg":"HS256"}'), encoded('{"sub":"1234567890"}'), letters(43)]),
    "a token of this service": new_token("default", Role.READ, START)[1],
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\n" + letters(64),
    "a URL with a password": "postgresql://tuner:" + letters(12) + "@db/tuner",
}


def refusal(request: pb.CreateTuningJobRequest | pb.TagResourceRequest) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        secret_text.refuse(request)
    return caught.value


def definition(**fields: object) -> pb.CreateTuningJobRequest:
    return parse_request({"name": "job", "training_job_definitions": [fields]})


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", "--key={}", "a,{} b", "'{}'"])
def test_every_form_is_found_wherever_it_stands_and_never_quoted(kind: str, secret: str, around: str) -> None:
    text = around.format(secret)
    places: dict[str, pb.CreateTuningJobRequest | pb.TagResourceRequest] = {
        'tuning_job.training_job_definitions[0].environment["A"]': definition(environment={"A": text}),
        'tuning_job.training_job_definitions[0].static_hyperparameters["h"].string_value': definition(
            static_hyperparameters={"h": {"string_value": text}}
        ),
        'tuning_job.tags["team"]': parse_request({"tags": {"team": text}}),
        'tags["team"]': pb.TagResourceRequest(tags={"team": text}),
        "tuning_job.tags": parse_request({"tags": {text: "team"}}),
    }
    for path, request in places.items():
        error = refusal(request)
        (violation,) = error.violations
        assert (violation.field, violation.reason) == (path, "SECRET")
        assert kind in violation.description
        assert secret not in str(error)


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "DB_PASSWORD", "api-key", "AWS_SECRET_ACCESS_KEY", "aws_access_key_id", "HF_TOKEN", "credentials"],
)
def test_entries_that_say_they_are_secret_are_refused_whatever_they_hold(name: str) -> None:
    for request in (definition(environment={name: "x1"}), pb.TagResourceRequest(tags={name: "x1"})):
        (violation,) = refusal(request).violations
        assert f'"{name}"' in violation.field
        assert "x1" not in violation.description


def test_all_secrets_of_a_request_are_named_at_once() -> None:
    request = definition(environment={"A": SECRETS["a GitHub token"], "PASSWORD": "x"})
    request.tuning_job.tags["t"] = SECRETS["a Stripe key"]
    assert len(refusal(request).violations) == 3


@pytest.mark.parametrize(
    "text",
    [
        "adam", "lr=0.01", "s3://bucket/AKIA/data.csv", "s3://bucket/a:b@c/x", "user@example.com", "12:30@noon",
        "sk_learn", "hf_transformers", "tokens", "eyJ", "arn:aws:personalize:::recipe/aws-hrnn", "https://host:8080/a",
        "8f14e45fceea167a5a36dedd4bea2543" * 2, "ghp_short", "http://[::1]:80/", "glpat-x",
        "-----BEGIN CERTIFICATE-----",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_accepted(text: str) -> None:
    secret_text.refuse(definition(environment={"NAME": text, "TOKENIZERS_PARALLELISM": text, "PASSWORD": ""}))
