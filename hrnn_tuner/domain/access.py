"""Who may do what: projects, roles, and the caller of the API."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

#: Whose tuning jobs they are where nobody says who is calling.
DEFAULT_PROJECT = "default"
PROJECT_NAME_RULE = "1 to 32 lower-case letters, digits and hyphens, with no hyphen at either end"
_PROJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


class Role(enum.StrEnum):
    """What a caller may do in its project; each role includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether it allows everything that another role allows."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Principal:
    """A caller.

    Attributes:
        project: The only project whose tuning jobs it sees.
        role: What it may do there.
        name: How the audit log names it: ``token:<id>``, ``certificate:<name>`` or ``local``.
    """

    project: str
    role: Role
    name: str


#: Everybody, where authentication is off.
LOCAL = Principal(DEFAULT_PROJECT, Role.ADMIN, "local")


def is_project_name(name: str) -> bool:
    """Whether a project may have this name; see `PROJECT_NAME_RULE`."""
    return _PROJECT_NAME.fullmatch(name) is not None
