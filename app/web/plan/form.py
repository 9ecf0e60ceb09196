"""What the planning page is asked: a gate's campaign or any mail, how many, when, and how waves may be cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core.campaign.request import MAX_TEXT
from app.core.forecast.plan import LEAD_MINUTES, WAVE_EVERY_MINUTES, WAVES
from app.web.instants import ComesTwice, read_instant, typed, which_of
from app.web.typed import LONGEST, NotRead, read_audience, read_whole

SHORTEST_GAP, LONGEST_GAP = 5, 240
MOST_WAVES = 48
LONGEST_LEAD = 720
ONE_MINUTE = timedelta(minutes=1)


class PlanQuery(BaseModel):
    """The page's URL. All is text, so that what was typed can be shown again beside what is wrong with it.

    start: by the clock of the gate's zone, empty for now. wait: answer with the plan itself, however long it takes, as
    browsers without scripts need it. permit: one to show. queue, metric: what the chart shows.
    """

    gate: str | None = Field(default=None, max_length=63)
    campaign: str = Field(default="", max_length=200)
    kind: str = Field(default="", max_length=MAX_TEXT)
    audience: str = Field(default="", max_length=60)
    start: str = Field(default="", max_length=40)
    start_which: str = Field(default="", max_length=10)
    gap: str = Field(default="", max_length=LONGEST)
    waves: str = Field(default="", max_length=LONGEST)
    lead: str = Field(default="", max_length=LONGEST)
    wait: str = Field(default="", max_length=LONGEST)
    permit: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=200)
    metric: str = Field(default="", max_length=60)

    def url(self, **changes: str) -> str:
        """Return the URL of the same question with changes; what says nothing is left out."""
        said = {name: value for name, value in (self.model_dump() | changes).items() if value and name != "wait"}
        return f"/plan?{urlencode(said)}" if said else "/plan"

    def starting(self, at: datetime, zone: ZoneInfo) -> str:
        """Return the URL of the same question for a send that begins at an instant, rounded up to a minute."""
        whole = at if not at.second and not at.microsecond else at.replace(second=0, microsecond=0) + ONE_MINUTE
        return self.url(start=typed(whole, zone), start_which=which_of(whole, zone), permit="")


@dataclass(frozen=True, slots=True)
class Ways:
    """How waves may be cut, and how long it takes until more agents could be at work."""

    every_minutes: int = WAVE_EVERY_MINUTES
    waves: int = WAVES
    lead_minutes: int = LEAD_MINUTES


@dataclass(frozen=True, slots=True)
class PlanForm:
    """What was read. audience None: none was typed; start_at None: now; faults: by the field's name.

    twice: what can be chosen of a start that comes twice.
    """

    audience: int | None = None
    ways: Ways = Ways()
    faults: dict[str, str] = field(default_factory=dict)
    start_at: datetime | None = None
    kind: str = ""
    twice: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def read_form(query: PlanQuery, zone: ZoneInfo) -> PlanForm:
    """Return what a query asks for; faults stay beside what could be read. zone: of the gate, for the start."""
    faults: dict[str, str] = {}
    twice: dict[str, tuple[tuple[str, str], ...]] = {}
    audience = start_at = None
    try:
        audience = read_audience(query.audience)
    except NotRead as fault:
        faults["audience"] = str(fault)
    try:
        start_at = read_instant(query.start, zone, query.start_which)
    except NotRead as fault:
        faults["start"] = str(fault)
        twice = {"start": fault.choices} if isinstance(fault, ComesTwice) else {}
    kind = query.kind.strip()
    if not kind.isprintable():
        faults["kind"] = "A kind is text in one line, such as newsletter."
    return PlanForm(audience, _ways(query, faults), faults, start_at, kind, twice)


def _ways(query: PlanQuery, faults: dict[str, str]) -> Ways:
    """Return how waves may be cut; what cannot be read goes to `faults`, and is as usual."""
    numbers = {
        "gap": (query.gap, WAVE_EVERY_MINUTES, SHORTEST_GAP, LONGEST_GAP, "Minutes between waves"),
        "waves": (query.waves, WAVES, 1, MOST_WAVES, "Waves"),
        "lead": (query.lead, LEAD_MINUTES, 0, LONGEST_LEAD, "Minutes until more agents"),
    }
    read: dict[str, int] = {}
    for name, asked in numbers.items():
        try:
            read[name] = read_whole(*asked)
        except NotRead as fault:
            faults[name], read[name] = str(fault), asked[1]
    return Ways(read["gap"], read["waves"], read["lead"])
