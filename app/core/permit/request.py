"""What is asked of a permit: read strictly, every fault with its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from app.core.floor.fields import name_fault, shown
from app.core.gate.fields import Fields
from app.core.problem import Problem

Read = TypeVar("Read")

DEFAULT_GATE = "default"
MAX_AUDIENCE = 1_000_000_000
MAX_SENT = 10_000_000_000
MIN_TTL_SECONDS, DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS = 10, 3_600, 86_400
MAX_URL = 2_048


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """An ask for a permit: `audience` messages of a campaign, through a gate.

    accept_partial: fewer will do, the sender obeys what is allowed. ttl_seconds: how long the permit shall live.
    dry_run: only say what would be granted. callback_url: where to tell of the answer when it can be given later.
    """

    audience: int
    gate: str = DEFAULT_GATE
    campaign: str | None = None
    accept_partial: bool = False
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    dry_run: bool = False
    callback_url: str | None = None


class RequestRefused(ValueError):
    """The request cannot be understood; `problems` has every fault found, each with a pointer into the request."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("the permit cannot be asked for like this; nothing was reserved")
        self.problems = tuple(problems)


def parse_request(document: Mapping[str, object]) -> PermitRequest:
    """Return what a JSON object asks. null says as much as leaving a member out. Raises RequestRefused."""
    problems: list[Problem] = []
    fields = _given(document, problems)
    if not fields.has("audience"):
        fields.refuse(f"is required: how many messages are to go, 1 to {MAX_AUDIENCE:,}", "audience")
    request = PermitRequest(
        audience=fields.whole("audience", 1, 1, MAX_AUDIENCE),
        gate=_name(fields, "gate") or DEFAULT_GATE,
        campaign=_name(fields, "campaign"),
        accept_partial=_flag(fields, "accept_partial"),
        ttl_seconds=_ttl(fields),
        dry_run=_flag(fields, "dry_run"),
        callback_url=_url(fields, "callback_url"),
    )
    return _sound(fields, request)


def parse_ttl(document: Mapping[str, object]) -> int:
    """Return the ttl_seconds of a request to renew, the default without one. Raises RequestRefused."""
    fields = _given(document, [])
    return _sound(fields, _ttl(fields))


def parse_sent(document: Mapping[str, object]) -> int:
    """Return the total that a report says was sent so far. Raises RequestRefused."""
    fields = _given(document, [])
    if not fields.has("sent"):
        fields.refuse(f"is required: how many were sent under this permit so far, 0 to {MAX_SENT:,}", "sent")
    return _sound(fields, fields.whole("sent", 0, 0, MAX_SENT))


def _given(document: Mapping[str, object], problems: list[Problem]) -> Fields:
    return Fields({name: value for name, value in document.items() if value is not None}, "", problems)


def _sound(fields: Fields, read: Read) -> Read:
    fields.finish()
    if fields.problems:
        raise RequestRefused(fields.problems)
    return read


def _ttl(fields: Fields) -> int:
    return fields.whole("ttl_seconds", DEFAULT_TTL_SECONDS, MIN_TTL_SECONDS, MAX_TTL_SECONDS)


def _name(fields: Fields, member: str) -> str | None:
    if not fields.has(member):
        return None
    value = fields.get(member)
    if fault := name_fault(value):
        fields.refuse(fault, member)
        return None
    return str(value)


def _flag(fields: Fields, member: str) -> bool:
    if not fields.has(member):
        return False
    value = fields.get(member)
    if not isinstance(value, bool):
        fields.refuse(f"{shown(value)} must be true or false", member)
    return value is True


def _url(fields: Fields, member: str) -> str | None:
    if not fields.has(member):
        return None
    value = fields.get(member)
    if not isinstance(value, str) or not _is_web_address(value):
        fields.refuse(
            f"{shown(value)} must be an http or https address of at most {MAX_URL:,} characters, with a host and "
            "without a user or password",
            member,
        )
        return None
    return value


def _is_web_address(text: str) -> bool:
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an address in brackets that is none
        return False
    return parts.scheme in ("http", "https") and named and "@" not in parts.netloc
