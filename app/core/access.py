"""What people may do: roles, and the scopes that each stands for. Machines' keys carry scopes of their own.

A scope is what one route of the API or one page needs; nothing else decides whether somebody may.
"""

from collections.abc import Mapping
from enum import StrEnum

ADMIN_SCOPE = "admin"  # stands for every other


class Role(StrEnum):
    """What somebody is to the two departments, least first."""

    VIEWER = "viewer"
    MARKETER = "marketer"
    WORKFORCE = "workforce"
    ADMIN = "admin"


SCOPES_OF: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset({"read", "readiness"}),
    Role.MARKETER: frozenset({"read", "readiness", "permits", "campaigns"}),
    Role.WORKFORCE: frozenset({"read", "readiness", "campaigns", "policies"}),
    Role.ADMIN: frozenset({"read", "readiness", "permits", "campaigns", "policies", ADMIN_SCOPE}),
}

MEANING_OF: Mapping[Role, str] = {
    Role.VIEWER: "sees everything, changes nothing",
    Role.MARKETER: "also plans campaigns and asks for permits",
    Role.WORKFORCE: "also sets limits, staffing and overrides, and plans campaigns",
    Role.ADMIN: "may do everything, and says who else may",
}


def may(scopes: frozenset[str], scope: str) -> bool:
    """Return whether who has these scopes may do what needs that one."""
    return scope in scopes or ADMIN_SCOPE in scopes
