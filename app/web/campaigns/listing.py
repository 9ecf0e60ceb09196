"""The list of campaigns: which of them are shown, and a row for each. Pure, but for reading them page by page."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.core.campaign.campaign import ENDED, Campaign, CampaignState
from app.core.campaign.request import plan_document
from app.services.campaigns import Campaigns
from app.web.campaigns.words import GOING, WORDS, Instant, mark_of, shown
from app.web.exports import Format, Row, Sheet
from app.web.format import NONE, number

SHOWN, PAGE, SEARCHED = 100, 500, 20_000
GROUPS: Mapping[str, tuple[str, tuple[CampaignState, ...]]] = {
    "going": ("On their way", GOING),
    "draft": ("Drafts", (CampaignState.DRAFT,)),
    "ended": ("Ended", tuple(sorted(ENDED))),
    **{state.value: (WORDS[state], (state,)) for state in (*GOING[::-1], *sorted(ENDED))},
}
SHEET = Sheet(
    "campaigns",
    (
        *("id", "title", "state", "gate", "audience", "sent", "owner", "kind", "traffic_class", "contacts_per_1000"),
        *("earliest_start", "give_up_at", "release_mode", "audience_per_wave", "wave_gap_seconds", "holdout_ratio"),
        *("created_at", "announced_at", "started_at", "ended_at", "reason"),
    ),
)


class ListQuery(BaseModel):
    """The list's URL. A filter that means nothing is none; before: the last (created_at, id) already seen."""

    gate: str = Field(default="", max_length=63)
    state: str = Field(default="", max_length=20)
    q: str = Field(default="", max_length=200)
    before: str = Field(default="", max_length=120)
    format: Format | None = None


class Listed(NamedTuple):
    """A campaign with how many of it were sent to."""

    campaign: Campaign
    sent: int


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign in the list. fill: the share of its recipients that was sent to, 0..1; when None: once it may."""

    id: str
    title: str
    state: str
    word: str
    gate: str
    kind: str
    owner: str
    audience: str
    sent: str
    fill: float
    when: Instant | None
    when_word: str


def states_of(query: ListQuery) -> tuple[CampaignState, ...]:
    """Return the states that are shown, () for all."""
    return GROUPS[query.state][1] if query.state in GROUPS else ()


def fits(campaign: Campaign, text: str) -> bool:
    """Return whether a campaign has all words of a text in its id, title, kind or owner."""
    said = f"{campaign.id} {campaign.title} {campaign.kind} {campaign.owner}".casefold()
    return all(word in said for word in text.casefold().split())


async def found(campaigns: Campaigns, query: ListQuery, before: tuple[datetime, str] | None) -> AsyncIterator[Listed]:
    """Yield the campaigns that a list shows, newest first, from below `before` on; of the last 20,000 at most."""
    for _ in range(SEARCHED // PAGE):
        page = await campaigns.page(gate=query.gate or None, states=states_of(query), before=before, limit=PAGE)
        for each in page:
            if fits(each, query.q):
                yield Listed(each, campaigns.progress(each).spent.sent_last_hour)  # of a campaign: all it ever sent
        if len(page) < PAGE:
            return
        before = page[-1].created_at, page[-1].id


def campaign_row(listed: Listed, zone: ZoneInfo) -> CampaignRow:
    """Return a campaign as the list prints it. zone: of its gate."""
    campaign, sent = listed
    word, at = _when(campaign)
    return CampaignRow(
        id=campaign.id,
        title=campaign.title,
        state=mark_of(campaign.state),
        word=WORDS[campaign.state],
        gate=campaign.gate,
        kind=campaign.kind or NONE,
        owner=campaign.owner or NONE,
        audience=number(campaign.recipients),
        sent=number(sent),
        fill=min(1.0, sent / campaign.recipients),
        when=shown(at, zone) if at else None,
        when_word=word,
    )


def _when(campaign: Campaign) -> tuple[str, datetime | None]:
    """Return the instant that matters most of a campaign, with what it is."""
    if campaign.ended_at is not None:
        return "ended", campaign.ended_at
    if campaign.started_at is not None:
        return "began", campaign.started_at
    return ("from", campaign.earliest_start) if campaign.earliest_start else ("as soon as it may", None)


def sheet_row(listed: Listed) -> Row:
    """Return a campaign as a file has it."""
    campaign, sent = listed
    plan, release = plan_document(campaign), campaign.release
    return (
        *(campaign.id, campaign.title, campaign.state.value, campaign.gate, campaign.audience, sent),
        *(plan[name] for name in ("owner", "kind", "traffic_class", "contacts_per_1000")),
        *(campaign.earliest_start, campaign.give_up_at, release.mode.value),
        *(release.audience_per_wave, release.wave_gap_seconds, campaign.holdout_ratio),
        *(campaign.created_at, campaign.announced_at, campaign.started_at, campaign.ended_at, campaign.reason),
    )


def cursor_of(campaign: Campaign) -> str:
    """Return the place after which the next page begins."""
    return f"{campaign.created_at.isoformat()}~{campaign.id}"


def place_of(cursor: str) -> tuple[datetime, str] | None:
    """Return what a cursor says, None for one that says nothing."""
    at, _, name = cursor.partition("~")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), name
    except (ValueError, OverflowError):
        return None


def options(gates: Sequence[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return what can be chosen as a state and as a gate."""
    states = [("", "Any state"), *((value, word) for value, (word, _) in GROUPS.items())]
    return states, [("", "Any gate"), *((gate, gate) for gate in gates)]
