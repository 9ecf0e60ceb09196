"""The CampaignStore port, on SQL."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, tuple_, update

from app.core.campaign.campaign import ENDED, Campaign, CampaignState, Release, ReleaseMode, TrafficClass
from app.core.campaign.handover import handover_document, handover_of
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.campaigns import Wave
from app.store.campaign_tables import CAMPAIGNS, WAVES
from app.store.engine import Database
from app.store.events import append_events
from app.store.tables import GATES

_COLUMNS = tuple(field.name for field in fields(Campaign) if field.name != "release")
_WAVE = tuple(field.name for field in fields(Wave))


class SqlCampaigns:
    """The CampaignStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_campaign(self, campaign: Campaign, event: Event) -> None:
        await self._database.write(lambda connection: _add(connection, campaign, event))

    async def campaign(self, campaign_id: str) -> Campaign:
        return await self._database.read(lambda connection: _require(connection, campaign_id))

    async def campaigns(
        self,
        *,
        gate: str | None = None,
        states: Sequence[CampaignState] = (),
        start: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[Campaign]:
        query = _filtered(gate, states, start, until, before).limit(limit)
        return await self._database.read(lambda connection: [_campaign(row) for row in connection.execute(query)])

    async def save_campaign(self, campaign: Campaign, events: Sequence[Event], *, expected: int) -> None:
        await self._database.write(lambda connection: _save(connection, campaign, events, expected))

    async def delete_campaign(self, campaign_id: str, event: Event, *, expected: int) -> None:
        await self._database.write(lambda connection: _delete(connection, campaign_id, event, expected))

    async def add_wave(self, wave: Wave, event: Event) -> None:
        await self._database.write(lambda connection: _add_wave(connection, wave, event))

    async def save_wave(self, wave: Wave, event: Event | None) -> None:
        await self._database.write(lambda connection: _save_wave(connection, wave, event))

    async def waves(self, campaign_id: str) -> Sequence[Wave]:
        return await self._database.read(lambda connection: _waves(connection, campaign_id))

    async def save_pace(self, campaign_id: str, pace: str) -> None:
        kept = update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(pace=pace)
        await self._database.write(lambda connection: connection.execute(kept))

    async def paces(self) -> dict[str, str]:
        return await self._database.read(_paces)


def _add(connection: Connection, campaign: Campaign, event: Event) -> None:
    _require_gate(connection, campaign.gate)
    if _find(connection, campaign.id) is not None:
        raise Conflict(f"there is a campaign {campaign.id!r} already; choose another id")
    connection.execute(insert(CAMPAIGNS).values(_row(campaign)))
    append_events(connection, [event])


def _save(connection: Connection, campaign: Campaign, events: Sequence[Event], expected: int) -> None:
    present = _expect(connection, campaign.id, expected)
    if campaign.gate != present.gate:
        _require_gate(connection, campaign.gate)
    connection.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign.id).values(_row(campaign)))
    append_events(connection, events)


def _delete(connection: Connection, campaign_id: str, event: Event, expected: int) -> None:
    _expect(connection, campaign_id, expected)
    connection.execute(delete(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id))
    append_events(connection, [event])


def _filtered(
    gate: str | None,
    states: Sequence[CampaignState],
    start: datetime | None,
    until: datetime | None,
    before: tuple[datetime, str] | None,
) -> Select[Any]:
    query = select(CAMPAIGNS).order_by(CAMPAIGNS.c.created_at.desc(), CAMPAIGNS.c.id.desc())
    if gate is not None:
        query = query.where(CAMPAIGNS.c.gate == gate)
    if states:
        query = query.where(CAMPAIGNS.c.state.in_([state.value for state in states]))
    if start is not None:
        query = query.where(CAMPAIGNS.c.earliest_start >= start)
    if until is not None:
        query = query.where(CAMPAIGNS.c.earliest_start < until)
    if before is not None:
        query = query.where(tuple_(CAMPAIGNS.c.created_at, CAMPAIGNS.c.id) < before)
    return query


def _add_wave(connection: Connection, wave: Wave, event: Event) -> None:
    _require(connection, wave.campaign)
    taken = select(WAVES.c.number).where(WAVES.c.campaign == wave.campaign, WAVES.c.number == wave.number)
    if connection.execute(taken).first() is not None:
        raise Conflict(f"campaign {wave.campaign!r} has had its wave {wave.number} already")
    connection.execute(insert(WAVES).values({name: getattr(wave, name) for name in _WAVE}))
    append_events(connection, [event])


def _save_wave(connection: Connection, wave: Wave, event: Event | None) -> None:
    this = (WAVES.c.campaign == wave.campaign) & (WAVES.c.number == wave.number)
    changes = {"sent": wave.sent, "ended_at": wave.ended_at, "ending": wave.ending}
    if connection.execute(update(WAVES).where(this).values(changes)).rowcount == 0:
        raise NotFound(f"campaign {wave.campaign!r} has no wave {wave.number}")
    append_events(connection, [event] if event is not None else [])


def _waves(connection: Connection, campaign_id: str) -> list[Wave]:
    _require(connection, campaign_id)
    found = select(WAVES).where(WAVES.c.campaign == campaign_id).order_by(WAVES.c.number)
    return [Wave(**row._mapping) for row in connection.execute(found)]  # noqa: SLF001  # SQLAlchemy's public name for it


def _paces(connection: Connection) -> dict[str, str]:
    kept = select(CAMPAIGNS.c.id, CAMPAIGNS.c.pace).where(
        CAMPAIGNS.c.pace.is_not(None), CAMPAIGNS.c.state.not_in([state.value for state in ENDED])
    )
    return {row.id: row.pace for row in connection.execute(kept)}


def _expect(connection: Connection, campaign_id: str, expected: int) -> Campaign:
    """Return a campaign that stands at the revision expected. Raises NotFound or Conflict."""
    present = _require(connection, campaign_id)
    if present.revision != expected:
        raise Conflict(
            f"campaign {campaign_id!r} is at revision {present.revision}, not {expected}; read it again, "
            "then make your change on top"
        )
    return present


def _require(connection: Connection, campaign_id: str) -> Campaign:
    row = _find(connection, campaign_id)
    if row is None:
        raise NotFound(f"there is no campaign {campaign_id!r}")
    return _campaign(row)


def _find(connection: Connection, campaign_id: str) -> Row[Any] | None:
    return connection.execute(select(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id)).first()


def _require_gate(connection: Connection, gate: str) -> None:
    if connection.execute(select(GATES.c.name).where(GATES.c.name == gate)).first() is None:
        known = ", ".join(connection.execute(select(GATES.c.name).order_by(GATES.c.name)).scalars()) or "none yet"
        raise NotFound(f"there is no gate {gate!r}; known: {known}")


def _row(campaign: Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in _COLUMNS} | {
        "release_mode": campaign.release.mode,
        "audience_per_wave": campaign.release.audience_per_wave,
        "wave_gap_seconds": campaign.release.wave_gap_seconds,
        "queue_mix": [list(pair) for pair in campaign.queue_mix],
        "sender": handover_document(campaign.sender),
    }


def _campaign(row: Row[Any]) -> Campaign:
    values = {name: getattr(row, name) for name in _COLUMNS}
    values |= {
        "traffic_class": TrafficClass(row.traffic_class),
        "state": CampaignState(row.state),
        "release": Release(ReleaseMode(row.release_mode), row.audience_per_wave, row.wave_gap_seconds),
        "queue_mix": tuple((queue, share) for queue, share in row.queue_mix or ()),
        "holdout_ratio": row.holdout_ratio or 0.0,
        "sender": handover_of(row.sender),
    }
    return Campaign(**values)
