"""The forms with which a key is made and its profile changed: read field by field. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core.client_profile import ClientProfile
from app.ports.keys import SCOPES
from app.services.profiles import HOLD_STATUSES, UNKNOWN_STATUSES
from app.web.instants import SECOND, read_instant
from app.web.settings.faults import read_number
from app.web.typed import NotRead

PROFILE_FIELDS = ("hold_status", "unknown_status", "retry_after_unit", "max_rps")
FIELDS = ("name", "scopes", "env", "expires_at", *PROFILE_FIELDS)
SCOPE_MEANINGS = {
    "ingest": "send data of the floor",
    "readiness": "ask whether a send may go",
    "permits": "take permits and report what was sent",
    "campaigns": "plan campaigns and steer them",
    "policies": "change thresholds, overrides, queues and staffing",
    "read": "see everything but keys and webhooks",
    "admin": "everything, keys, webhooks and users too",
}
STATUS_WORDS = {429: "429 Too Many Requests", 503: "503 Service Unavailable", 404: "404 Not Found", 200: "200 OK"}
HOLD_CHOICES = [(str(status), STATUS_WORDS[status]) for status in HOLD_STATUSES]
UNKNOWN_CHOICES = [(str(status), STATUS_WORDS[status]) for status in UNKNOWN_STATUSES]
UNIT_CHOICES = [("s", "seconds"), ("ms", "milliseconds")]


class ProfileForm(BaseModel):
    """How a key's holder is to be answered, as it was typed."""

    hold_status: str = Field("429", max_length=10)
    unknown_status: str = Field("503", max_length=10)
    retry_after_unit: str = Field("s", max_length=10)
    max_rps: str = Field("", max_length=40)


class KeyForm(ProfileForm):
    """A new key, as it was typed."""

    name: str = Field("", max_length=1000)
    scopes: list[str] = Field(default_factory=list, max_length=100)
    env: str = Field("live", max_length=100)
    expires_at: str = Field("", max_length=40)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form means, as far as it could be read, and what is wrong by field."""

    expires_at: datetime | None = None
    profile: dict[str, object] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def read_profile(form: ProfileForm) -> Wanted:
    """Return the members of a profile as a form has them; whether they are allowed is for the service to say."""
    faults: dict[str, str] = {}
    profile: dict[str, object] = {"retry_after_unit": form.retry_after_unit, "max_rps": None}
    for name in ("hold_status", "unknown_status"):
        text = getattr(form, name)
        profile[name] = int(text) if text.isascii() and text.isdigit() else text
    if form.max_rps.strip():
        profile["max_rps"], fault = read_number(form.max_rps, "Requests per second")
        faults |= {"max_rps": fault} if fault else {}
    return Wanted(profile=profile, faults=faults)


def read_key(form: KeyForm, zone: ZoneInfo) -> Wanted:
    """Return what a form says of a new key. zone: the one in which its end was typed."""
    wanted = read_profile(form)
    try:
        expires_at = read_instant(form.expires_at, zone, SECOND)
    except NotRead as fault:
        return Wanted(None, wanted.profile, wanted.faults | {"expires_at": str(fault)})
    return Wanted(expires_at, wanted.profile, wanted.faults)


def typed_profile(profile: ClientProfile) -> ProfileForm:
    """Return a profile as its form has it."""
    return ProfileForm(
        hold_status=str(profile.hold_status),
        unknown_status=str(profile.unknown_status),
        retry_after_unit=profile.retry_after_unit.value,
        max_rps="" if profile.max_rps is None else f"{profile.max_rps:g}",
    )


def scope_choices() -> list[tuple[str, str]]:
    """Return every scope with what it lets its holder do."""
    return [(str(scope), SCOPE_MEANINGS[scope]) for scope in SCOPES]
