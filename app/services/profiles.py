"""Client profiles as people write them: what is allowed, and what a key's profile looks like from outside."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite
from typing import Any

from app.core.client_profile import ClientProfile, RetryUnit
from app.core.gate.fields import listed, shown
from app.core.problem import Problem
from app.errors import Invalid

HOLD_STATUSES = (429, 503, 404, 200)
UNKNOWN_STATUSES = (503, 429, 404, 200)
LEAST_RPS, MOST_RPS = 0.1, 10_000.0


def changed_profile(former: ClientProfile, changes: Mapping[str, object]) -> ClientProfile:
    """Return a profile with some of its members replaced. Raises Invalid with everything that is wrong with them."""
    if problems := [problem for name, value in changes.items() if (problem := _fault(name, value))]:
        raise Invalid("the client profile was refused; nothing was changed", problems)
    changed: dict[str, Any] = dict(changes)
    if "retry_after_unit" in changed:
        changed["retry_after_unit"] = RetryUnit(changed["retry_after_unit"])
    if changed.get("max_rps") is not None:
        changed["max_rps"] = float(changed["max_rps"])
    return replace(former, **changed)


def profile_shape(profile: ClientProfile) -> dict[str, Any]:
    """Return a profile as the API and the command line show it."""
    return asdict(profile)


def _fault(name: str, value: object) -> Problem | None:
    wanted = _sentence(name, value)
    return Problem(f"/profile/{name}", f"{shown(value)} {wanted}") if wanted else None


def _sentence(name: str, value: object) -> str | None:
    """Return what a member must be; None where the value is that."""
    match name:
        case "hold_status":
            return None if _is_in(value, HOLD_STATUSES) else f"must be {listed(list(map(str, HOLD_STATUSES)))}"
        case "unknown_status":
            return None if _is_in(value, UNKNOWN_STATUSES) else f"must be {listed(list(map(str, UNKNOWN_STATUSES)))}"
        case "retry_after_unit":
            return None if value in set(RetryUnit) else "must be s (seconds) or ms (milliseconds)"
        case "max_rps":
            return None if value is None or _is_rate(value) else f"must be {LEAST_RPS:g} to {MOST_RPS:,.0f} per second"
        case _:
            return "is no member of a profile; there can be hold_status, unknown_status, retry_after_unit or max_rps"


def _is_in(value: object, allowed: tuple[int, ...]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _is_rate(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return isfinite(value) and LEAST_RPS <= value <= MOST_RPS
