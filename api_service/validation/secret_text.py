"""Secrets in a request: what it says is stored, shown to everybody in the project and handed to training jobs.

What is looked for has a form that nothing else has, so that a learning rate or a path is never taken for a secret; and
entries of maps whose names say that they are one. A request that has any gets no other answer: another violation might
quote it.
"""

from __future__ import annotations

import re

from google.protobuf.message import Message

from hrnn_tuner.domain.errors import InvalidRequest, Violation
from hrnn_tuner.wire_texts import PlacedText, placed_texts

#: What each form is called, and the form; none begins or ends within a longer word.
_FORMS = {
    "an AWS access key": r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    "a GitHub token": r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}",
    "a GitLab token": r"glpat-[A-Za-z0-9_-]{20,255}",
    "a Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{10,255}",
    "a Slack webhook": r"https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,255}",
    "a Stripe key": r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}",
    "a Google API key": r"AIza[0-9A-Za-z_-]{35}",
    "a Google access token": r"ya29\.[0-9A-Za-z_-]{20,2048}",
    "a Hugging Face token": r"hf_[A-Za-z]{34}",
    "a PyPI token": r"pypi-[A-Za-z0-9_-]{50,1024}",
    "an npm token": r"npm_[A-Za-z0-9]{36}",
    "a JSON web token": r"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}",
    "a token of this service": r"hrnn_[0-9a-f]{12}_[A-Za-z0-9_-]{43}",
    "a private key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----",
    "a URL with a password": r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@]{0,255}:[^\s/@]{1,255}@",
}
_PATTERNS = {name: re.compile(rf"(?<![A-Za-z0-9])(?:{form})(?![A-Za-z0-9_-])") for name, form in _FORMS.items()}
_PATTERNS["a URL with a password"] = re.compile(_FORMS["a URL with a password"])  # the host follows
_NAMES = re.compile(
    r"(?:^|[_.:/-])(?:password|passwd|passphrase|secret|(?:secret|api|private)[_-]?key|(?:secret[_-]?)?access[_-]?key"
    r"(?:[_-]?id)?|(?:auth|access|api|bearer|session)?[_-]?token|credentials?)$",
    re.IGNORECASE,
)
_INSTEAD = "allowed: no secrets, which everybody in the project would see; give workers theirs in their own environment"


def refuse(message: Message) -> None:
    """Refuses a request with a secret.

    Raises:
        InvalidRequest: Names each field and what seems to be in it, and quotes nothing.
    """
    violations = [
        Violation(_place(item), f"seems to hold {kind}; {_INSTEAD}", "SECRET")
        for item in placed_texts(message)
        if (kind := _kind(item)) is not None
    ]
    if violations:
        raise InvalidRequest(violations)


def _kind(item: PlacedText) -> str | None:
    """What a text seems to be; None for no secret."""
    for name, pattern in _PATTERNS.items():
        if pattern.search(item.text):
            return name
    if item.container and not item.is_key and item.text and _NAMES.search(item.key):
        return "a secret, by its name"
    return None


def _place(item: PlacedText) -> str:
    """Where it stands, without a key that is, or may be, a secret itself."""
    quotes_secret = any(pattern.search(item.path) for pattern in _PATTERNS.values())
    return item.container if quotes_secret else item.path
