"""API keys as their settings show them, without their secrets. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.client_profile import PLAIN, ClientProfile
from app.ports.keys import ApiKey
from app.web.format import number
from app.web.moments import Moment, clock, full

PATH = "/settings/keys"
COLUMNS = (
    *("id", "name", "scopes", "created_at", "expires_at", "revoked_at", "hold_status", "unknown_status"),
    *("retry_after_unit", "max_rps"),
)
GOOD, EXPIRED, REVOKED = ("send", "good"), ("neutral", "past its time"), ("neutral", "revoked")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. mark and word: whether it still opens anything; ended: when it ended or will, None for never."""

    id: str
    name: str
    href: str
    scopes: tuple[str, ...]
    mark: str
    word: str
    is_good: bool
    made: Moment
    ended: Moment | None
    answers: str


def key_row(key: ApiKey, zone: ZoneInfo, now: datetime) -> KeyRow:
    """Return a key as it is listed."""
    mark, word = state_of(key, now)
    ended = key.revoked_at or key.expires_at
    return KeyRow(
        id=key.id,
        name=key.name,
        href=f"{PATH}/{key.id}",
        scopes=tuple(sorted(map(str, key.scopes))),
        mark=mark,
        word=word,
        is_good=word == GOOD[1],
        made=clock(key.created_at, zone, now),
        ended=full(ended, zone),
        answers=answers(key.profile),
    )


def state_of(key: ApiKey, now: datetime) -> tuple[str, str]:
    """Return the mark and the word for whether a key still opens anything."""
    if key.revoked_at is not None:
        return REVOKED
    return EXPIRED if key.expires_at is not None and key.expires_at <= now else GOOD


def answers(profile: ClientProfile) -> str:
    """Return how a key's holder is answered, where that is not the usual way."""
    if profile == PLAIN:
        return "as usual"
    parts = [
        f"hold {profile.hold_status}" if profile.hold_status != PLAIN.hold_status else "",
        f"unknown {profile.unknown_status}" if profile.unknown_status != PLAIN.unknown_status else "",
        "retry in ms" if profile.retry_after_unit != PLAIN.retry_after_unit else "",
        f"{number(profile.max_rps)} per second" if profile.max_rps is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def cells(key: ApiKey) -> Sequence[object]:
    """Return a key for a file, in the order of COLUMNS; its secret is in nobody's hands but its holder's."""
    profile = key.profile
    return (
        *(key.id, key.name, sorted(map(str, key.scopes)), key.created_at, key.expires_at, key.revoked_at),
        *(profile.hold_status, profile.unknown_status, profile.retry_after_unit.value, profile.max_rps),
    )
