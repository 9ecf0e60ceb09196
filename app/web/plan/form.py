"""What the planning page is asked: a gate's campaign or any mail, how many, and how waves may be cut."""

from dataclasses import dataclass, field

from pydantic import BaseModel, Field

from app.core.forecast.plan import LEAD_MINUTES, WAVE_EVERY_MINUTES, WAVES
from app.web.typed import LONGEST, NotRead, read_audience, read_whole

SHORTEST_GAP, LONGEST_GAP = 5, 240
MOST_WAVES = 48
LONGEST_LEAD = 720


class PlanQuery(BaseModel):
    """The page's URL. All is text, so that what was typed can be shown again beside what is wrong with it.

    wait: answer with the plan itself, however long it takes, as browsers without scripts need it.
    """

    gate: str | None = Field(default=None, max_length=63)
    campaign: str = Field(default="", max_length=200)
    audience: str = Field(default="", max_length=60)
    gap: str = Field(default="", max_length=LONGEST)
    waves: str = Field(default="", max_length=LONGEST)
    lead: str = Field(default="", max_length=LONGEST)
    wait: str = Field(default="", max_length=LONGEST)


@dataclass(frozen=True, slots=True)
class Ways:
    """How waves may be cut, and how long it takes until more agents could be at work."""

    every_minutes: int = WAVE_EVERY_MINUTES
    waves: int = WAVES
    lead_minutes: int = LEAD_MINUTES


@dataclass(frozen=True, slots=True)
class PlanForm:
    """What was read. audience None: none was typed; faults: by the field's name."""

    audience: int | None = None
    ways: Ways = Ways()
    faults: dict[str, str] = field(default_factory=dict)


def read_form(query: PlanQuery) -> PlanForm:
    """Return what a query asks for; faults stay beside what could be read."""
    faults: dict[str, str] = {}
    audience = None
    try:
        audience = read_audience(query.audience)
    except NotRead as fault:
        faults["audience"] = str(fault)
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
    return PlanForm(audience, Ways(read["gap"], read["waves"], read["lead"]), faults)
