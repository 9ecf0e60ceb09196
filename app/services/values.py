"""What campaigns were worth: figures that people report, kept with every revision."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.core.campaign.campaign import Campaign
from app.core.campaign.value import MEMBERS, CampaignValue, Figures, FiguresRefused, Source, parse_figures
from app.core.campaign.value_file import FileReading, Read, Understood, read_values
from app.core.event import Actor, Event, EventType
from app.core.problem import Problem
from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.scores import ValueStore
from app.services.campaigns import Campaigns
from app.services.shapes import Shape

REFUSED = "the value figures were refused; nothing was changed"


@dataclass(frozen=True, slots=True)
class Change:
    """What a report does to one campaign's figures. before None: nobody had reported any."""

    campaign: Campaign
    before: CampaignValue | None
    after: Figures

    @property
    def is_new(self) -> bool:
        """Whether it says anything that was not known."""
        return self.after != (self.before.figures if self.before else Figures())


class Values:
    """All figures."""

    def __init__(self, store: ValueStore, campaigns: Campaigns, clock: Clock) -> None:
        self._store, self._campaigns, self._clock = store, campaigns, clock

    async def find(self, campaign_id: str) -> CampaignValue | None:
        """Return a campaign's newest figures, None while nobody has reported any. Raises NotFound."""
        await self._campaigns.find(campaign_id)
        return await self._store.value(campaign_id)

    async def revisions(self, campaign_id: str) -> Sequence[CampaignValue]:
        """Return all that was ever reported of a campaign, newest first. Raises NotFound."""
        await self._campaigns.find(campaign_id)
        return await self._store.value_revisions(campaign_id)

    async def of(self, campaign_ids: Collection[str]) -> Mapping[str, CampaignValue]:
        """Return the newest figures of those of the campaigns that have some."""
        return await self._store.values(campaign_ids)

    async def save(
        self, campaign_id: str, document: Mapping[str, object], actor: Actor, source: Source, *, expected: int
    ) -> CampaignValue:
        """Report a campaign's figures, in place of all that was reported; `expected` is the revision its author saw.

        The same figures again change nothing. Raises NotFound, Invalid with one problem per fault, or Conflict when
        somebody was faster (0: nobody had reported any).
        """
        try:
            figures = parse_figures(document)
        except FiguresRefused as refused:
            raise Invalid(REFUSED, refused.problems) from refused
        campaign, before = await self._campaigns.find(campaign_id), await self._store.value(campaign_id)
        change = Change(campaign, before, figures)
        if before is not None and before.revision == expected and not change.is_new:
            return before
        (saved,) = await self._save([(change, expected)], actor, source)
        return saved

    async def look_at(self, content: bytes, reading: FileReading) -> tuple[Sequence[Change], Understood]:
        """Return what a CSV file would change, line by line, and how it was read. Nothing is saved.

        Raises Invalid with a problem for each bad line, a campaign that is not there among them.
        """
        try:
            read, understood = await asyncio.to_thread(read_values, content, reading)
        except FiguresRefused as refused:
            raise Invalid(REFUSED, refused.problems) from refused
        present = await self._store.values([each.campaign for each in read])
        problems: list[Problem] = []
        changes = [await self._change(each, present.get(each.campaign), problems) for each in read]
        if problems:
            raise Invalid(REFUSED, problems)
        return [each for each in changes if each is not None], understood

    async def save_file(
        self, content: bytes, reading: FileReading, actor: Actor
    ) -> tuple[Sequence[Change], Understood]:
        """Save what a CSV file says of each campaign, all or nothing; what it repeats stays as it is.

        Raises Invalid as look_at does, Conflict when somebody was faster.
        """
        changes, understood = await self.look_at(content, reading)
        new = [(each, each.before.revision if each.before else 0) for each in changes if each.is_new]
        await self._save(new, actor, Source.FILE)
        return changes, understood

    async def _change(self, read: Read, before: CampaignValue | None, problems: list[Problem]) -> Change | None:
        try:
            campaign = await self._campaigns.find(read.campaign)
        except NotFound as fault:
            problems.append(Problem(f"/lines/{read.line}", f"line {read.line}: {fault}"))
            return None
        return Change(campaign, before, read.merged(before.figures if before else Figures()))

    async def _save(
        self, changes: Sequence[tuple[Change, int]], actor: Actor, source: Source
    ) -> Sequence[CampaignValue]:
        now = self._clock.now()
        values = [
            CampaignValue(change.campaign.id, expected + 1, change.after, source, actor, now)
            for change, expected in changes
        ]
        events = [_told(change, value) for (change, _), value in zip(changes, values, strict=True)]
        await self._store.save_values(values, events)
        return values


def figures_shape(figures: Figures) -> Shape:
    """Return figures as JSON has them; null: not known."""
    amounts = {name: getattr(figures, name) for name in MEMBERS}
    plain = {
        name: float(value) if name.startswith(("value", "net")) and value is not None else value
        for name, value in amounts.items()
    }
    return plain | {"currency": figures.currency or None}


def _told(change: Change, value: CampaignValue) -> Event:
    campaign, before = change.campaign, change.before
    return Event(
        type=EventType.CAMPAIGN_VALUED,
        at=value.at,
        actor=value.by,
        subject=f"campaign/{campaign.id}",
        gate=campaign.gate,
        campaign=campaign.id,
        before=figures_shape(before.figures) if before else None,
        after=figures_shape(value.figures) | {"revision": value.revision, "source": value.source.value},
    )
