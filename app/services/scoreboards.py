"""The scoreboard: what campaigns of a span come to, one by one and together. Read, never computed anew."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from app.core.campaign.campaign import Campaign, CampaignState, ReleaseMode
from app.core.campaign.value import Figures
from app.core.debrief.before import due_at, wanted
from app.core.debrief.score import Score
from app.core.debrief.scoreboard import Line, Totals, line, totals
from app.core.event import EventType
from app.ports.events import EventLog
from app.ports.scores import ScoreStore
from app.services.campaigns import Campaigns
from app.services.published import Published
from app.services.values import Values

PAGE = 500
UNSENT = (CampaignState.WAITING, CampaignState.GAVE_UP)


@dataclass(frozen=True, slots=True)
class Board:
    """The campaigns that began in [start, until), oldest first, and what they come to together."""

    start: datetime
    until: datetime
    lines: Sequence[Line]
    totals: Totals


class Scoreboards:
    """Reads them. complaint_reasons: the reason tags that are complaints, in lower case."""

    def __init__(
        self,
        scores: ScoreStore,
        values: Values,
        campaigns: Campaigns,
        events: EventLog,
        *,
        published: Callable[[], Published],
        complaint_reasons: Sequence[str],
    ) -> None:
        self._scores, self._values, self._campaigns, self._events = scores, values, campaigns, events
        self._published = published
        self._complaint_reasons = frozenset(complaint_reasons)

    async def board(self, start: datetime, until: datetime, gate: str | None = None) -> Board:
        """Return the scoreboard of [start, until). gate: of this gate's campaigns only.

        A campaign is on it once something of it was sent, when its first message went in the span; and one that was to
        go in the span, and waits for its gate or was given up before that let it.
        """
        scores = [msgspec.convert(each, Score) for each in await self._scores.scores(start, until)]
        lines = [line(each, self._complaint_reasons) for each in scores]
        known = {each.campaign for each in scores}
        lines += [each async for each in self._unsent(start, until) if each.score.campaign not in known]
        lines = [each for each in lines if gate is None or each.score.gate == gate]
        values = await self._values.of([each.score.campaign for each in lines])
        valued = [
            line_of(each, values[each.score.campaign].figures) if each.score.campaign in values else each
            for each in lines
        ]
        valued.sort(key=lambda each: (each.score.began_at, each.score.campaign))
        return Board(start, until, valued, totals(valued))

    async def _unsent(self, start: datetime, until: datetime) -> AsyncIterator[Line]:
        """Yield the campaigns that were to go in the span and of which nothing went."""
        before = None
        while page := await self._campaigns.page(states=UNSENT, before=before, limit=PAGE):
            for campaign in page:
                at = None if campaign.started_at or campaign.awaits_start else await self._wanted(campaign)
                if at is not None and start <= at < until:
                    waits = campaign.state is CampaignState.WAITING
                    yield Line(self._unsent_score(campaign, at), is_waiting=waits, never_went=not waits)
            before = page[-1].created_at, page[-1].id

    async def _wanted(self, campaign: Campaign) -> datetime | None:
        if campaign.release.mode is not ReleaseMode.BY_TOOL:
            return wanted(campaign, (), None)
        asked = await self._events.events(
            type=EventType.DECISION_ASKED, campaign=campaign.id, start=due_at(campaign), after=0, limit=1
        )
        return wanted(campaign, [each.event.at for each in asked], None)

    def _unsent_score(self, campaign: Campaign, at: datetime) -> Score:
        """Return the line of a campaign of which nothing went; notice is what its gate's policy asks for now."""
        state, announced = self._published().gates.get(campaign.gate), campaign.announced_at
        return Score(
            *(campaign.id, campaign.title, campaign.gate, campaign.kind, at),
            is_final=False,
            wanted_at=at,
            notice_asked_minutes=state.policy.notice_minutes if state and state.policy else None,
            notice_minutes=(at - announced) / timedelta(minutes=1) if announced else None,
        )


def line_of(each: Line, figures: Figures) -> Line:
    """Return a line with the value figures that were reported."""
    return each if figures.is_empty else replace(each, figures=figures)
