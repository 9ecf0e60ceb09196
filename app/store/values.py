"""The ValueStore port, on SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, tuple_

from app.core.campaign.value import CampaignValue, Figures, Source
from app.core.event import Actor, Event
from app.errors import Conflict, NotFound
from app.store.campaign_tables import CAMPAIGNS
from app.store.engine import Database
from app.store.events import append_events
from app.store.value_tables import CAMPAIGN_VALUES

MICROS = 1_000_000
AT_ONCE = 500  # SQLite takes no more than some hundreds of bound values everywhere
_COLUMN = CAMPAIGN_VALUES.c


class SqlValues:
    """The ValueStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def value(self, campaign_id: str) -> CampaignValue | None:
        return (await self.values([campaign_id])).get(campaign_id)

    async def values(self, campaign_ids: Collection[str]) -> Mapping[str, CampaignValue]:
        return await self._database.read(lambda connection: dict(_newest(connection, campaign_ids)))

    async def value_revisions(self, campaign_id: str) -> Sequence[CampaignValue]:
        query = select(CAMPAIGN_VALUES).where(_COLUMN.campaign == campaign_id).order_by(_COLUMN.revision.desc())
        return await self._database.read(lambda connection: [_value(row) for row in connection.execute(query)])

    async def save_values(self, values: Sequence[CampaignValue], events: Sequence[Event]) -> None:
        await self._database.write(lambda connection: _save(connection, values, events))


def _newest(connection: Connection, campaign_ids: Collection[str]) -> Iterator[tuple[str, CampaignValue]]:
    for some in _some(campaign_ids):
        for row in connection.execute(_newest_of(some)):
            yield row.campaign, _value(row)


def _newest_of(campaign_ids: Collection[str]) -> Select[Any]:
    newest = select(_COLUMN.campaign, func.max(_COLUMN.revision))
    newest = newest.where(_COLUMN.campaign.in_(campaign_ids)).group_by(_COLUMN.campaign)
    return select(CAMPAIGN_VALUES).where(tuple_(_COLUMN.campaign, _COLUMN.revision).in_(newest))


def _some(names: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(set(names))
    return (ordered[first : first + AT_ONCE] for first in range(0, len(ordered), AT_ONCE))


def _save(connection: Connection, values: Sequence[CampaignValue], events: Sequence[Event]) -> None:
    names = [value.campaign for value in values]
    there = {name for some in _some(names) for name in connection.execute(_ids(some)).scalars()}
    present = dict(_newest(connection, names))
    for value in values:
        if value.campaign not in there:
            raise NotFound(f"there is no campaign {value.campaign!r}")
        newest = present[value.campaign].revision if value.campaign in present else 0
        if value.revision != newest + 1:
            raise Conflict(
                f"the value of campaign {value.campaign!r} is at revision {newest}, not {value.revision - 1}; "
                "read it again, then make your change on top"
            )
    if values:
        connection.execute(insert(CAMPAIGN_VALUES), [_row(value) for value in values])
    append_events(connection, events)


def _ids(campaign_ids: Sequence[str]) -> Select[Any]:
    return select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.id.in_(campaign_ids))


def _row(value: CampaignValue) -> dict[str, object]:
    figures = value.figures
    return {
        "campaign": value.campaign,
        "revision": value.revision,
        "new": figures.new,
        "lost": figures.lost,
        "kept": figures.kept,
        "value_micros": _micros(figures.value_per_customer),
        "net_micros": _micros(figures.net_value),
        "currency": figures.currency,
        "source": value.source.value,
        "by_id": value.by.id,
        "by_name": value.by.name,
        "at": value.at,
    }


def _value(row: Row[Any]) -> CampaignValue:
    amounts = _amount(row.value_micros), _amount(row.net_micros)
    figures = Figures(row.new, row.lost, row.kept, *amounts, row.currency)
    return CampaignValue(row.campaign, row.revision, figures, Source(row.source), Actor(row.by_id, row.by_name), row.at)


def _micros(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * MICROS)


def _amount(micros: int | None) -> Decimal | None:
    """Return an amount without the zeros that nobody wrote: 12.5, 40."""
    if micros is None:
        return None
    amount = (Decimal(micros) / MICROS).normalize()
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount
