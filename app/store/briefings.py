"""The BriefingStore port, on SQL."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from app.core.campaign.briefing import Acknowledgement, Briefing, Image, Link, Question
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.store.briefing_tables import ACKNOWLEDGEMENTS, BRIEFING_IMAGES, BRIEFINGS
from app.store.campaign_tables import CAMPAIGNS
from app.store.engine import Database
from app.store.events import append_events

_SHOWN = tuple(each for each in BRIEFING_IMAGES.columns if each.name not in {"campaign", "content"})

Step = Callable[[Briefing], tuple[Acknowledgement, Event] | None]


class SqlBriefings:
    """The BriefingStore port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def briefing(self, campaign_id: str) -> Briefing | None:
        return await self._database.read(lambda connection: _briefing(connection, campaign_id))

    async def briefings(self, campaign_ids: Sequence[str]) -> dict[str, Briefing]:
        return await self._database.read(lambda connection: _briefings(connection, campaign_ids))

    async def save_briefing(self, briefing: Briefing, event: Event, *, expected: int) -> Briefing:
        return await self._database.write(lambda connection: _save(connection, briefing, event, expected))

    async def add_image(self, campaign_id: str, image: Image, content: bytes, event: Event, *, most: int) -> Briefing:
        return await self._database.write(
            lambda connection: _add_image(connection, campaign_id, image, content, event, most=most)
        )

    async def image(self, campaign_id: str, image_id: str) -> tuple[Image, bytes]:
        return await self._database.read(lambda connection: _image_with_content(connection, campaign_id, image_id))

    async def remove_image(self, campaign_id: str, image_id: str, event: Event) -> Briefing:
        return await self._database.write(lambda connection: _remove_image(connection, campaign_id, image_id, event))

    async def acknowledge(self, campaign_id: str, step: Step) -> Briefing:
        return await self._database.write(lambda connection: _acknowledge(connection, campaign_id, step))


def _briefing(connection: Connection, campaign_id: str) -> Briefing | None:
    if connection.execute(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.id == campaign_id)).first() is None:
        raise NotFound(f"there is no campaign {campaign_id!r}")
    return _briefings(connection, [campaign_id]).get(campaign_id)


def _present(connection: Connection, campaign_id: str) -> Briefing:
    found = _briefing(connection, campaign_id)
    if found is None:
        raise NotFound(f"campaign {campaign_id!r} has no briefing yet; write it first")
    return found


def _briefings(connection: Connection, campaign_ids: Sequence[str]) -> dict[str, Briefing]:
    images, acknowledgements = defaultdict(list), defaultdict(list)
    for row in _rows(
        connection, BRIEFING_IMAGES, campaign_ids, (*_SHOWN, BRIEFING_IMAGES.c.campaign), "added_at", "id"
    ):
        images[row.campaign].append(_image(row))
    for row in _rows(connection, ACKNOWLEDGEMENTS, campaign_ids, ACKNOWLEDGEMENTS.columns, "at", "acknowledged_by"):
        given = Acknowledgement(row.acknowledged_by, row.name, row.at, row.version)
        acknowledgements[row.campaign].append(given)
    return {
        row.campaign: _whole(row, images[row.campaign], acknowledgements[row.campaign])
        for row in _rows(connection, BRIEFINGS, campaign_ids, BRIEFINGS.columns)
    }


def _rows(
    connection: Connection, where: Table, campaign_ids: Sequence[str], columns: Any, *order: str
) -> Sequence[Row[Any]]:
    """Return the rows that belong to these campaigns; one statement, however many campaigns there are."""
    query = select(*columns).where(where.c.campaign.in_(campaign_ids)).order_by(*(where.c[name] for name in order))
    return connection.execute(query).all()


def _whole(row: Row[Any], images: Sequence[Image], acknowledgements: Sequence[Acknowledgement]) -> Briefing:
    return Briefing(
        campaign=row.campaign,
        offer=row.offer,
        recipients=row.recipients,
        questions=tuple(Question(*pair) for pair in row.questions),
        links=tuple(Link(*pair) for pair in row.links),
        acknowledge_by=tuple(row.acknowledge_by),
        author=row.author,
        saved_at=row.saved_at,
        version=row.version,
        images=tuple(images),
        acknowledgements=tuple(acknowledgements),
    )


def _image(row: Row[Any]) -> Image:
    return Image(**{each.name: row._mapping[each.name] for each in _SHOWN})  # noqa: SLF001  # SQLAlchemy's public name for it


def _save(connection: Connection, briefing: Briefing, event: Event, expected: int) -> Briefing:
    present = _briefing(connection, briefing.campaign)
    version = present.version if present else 0
    if version != expected:
        raise Conflict(
            f"the briefing of campaign {briefing.campaign!r} is at version {version}, not {expected}; read it again, "
            "then save your change on top"
        )
    row = {
        "campaign": briefing.campaign,
        "version": briefing.version,
        "offer": briefing.offer,
        "recipients": briefing.recipients,
        "questions": [[item.question, item.answer] for item in briefing.questions],
        "links": [[item.title, item.url] for item in briefing.links],
        "acknowledge_by": list(briefing.acknowledge_by),
        "author": briefing.author,
        "saved_at": briefing.saved_at,
    }
    own = BRIEFINGS.c.campaign == briefing.campaign
    connection.execute(update(BRIEFINGS).where(own).values(row) if present else insert(BRIEFINGS).values(row))
    append_events(connection, [event])
    return _present(connection, briefing.campaign)


def _add_image(
    connection: Connection, campaign_id: str, image: Image, content: bytes, event: Event, *, most: int
) -> Briefing:
    present = _present(connection, campaign_id)
    if any(there.id == image.id for there in present.images):
        raise Conflict(f"image {image.id!r} is there already; remove it first to give it another name or text")
    if len(present.images) >= most:
        raise Conflict(f"the briefing has {len(present.images)} images, and {most} are allowed; remove one first")
    row = {each.name: getattr(image, each.name) for each in _SHOWN}
    connection.execute(insert(BRIEFING_IMAGES).values(row | {"campaign": campaign_id, "content": content}))
    append_events(connection, [event])
    return _present(connection, campaign_id)


def _image_with_content(connection: Connection, campaign_id: str, image_id: str) -> tuple[Image, bytes]:
    query = select(BRIEFING_IMAGES).where(_is(campaign_id, image_id))
    row = connection.execute(query).first()
    if row is None:
        raise _no_image(campaign_id, image_id)
    return _image(row), row.content


def _remove_image(connection: Connection, campaign_id: str, image_id: str, event: Event) -> Briefing:
    if connection.execute(delete(BRIEFING_IMAGES).where(_is(campaign_id, image_id))).rowcount == 0:
        raise _no_image(campaign_id, image_id)
    append_events(connection, [event])
    return _present(connection, campaign_id)


def _is(campaign_id: str, image_id: str) -> Any:
    return (BRIEFING_IMAGES.c.campaign == campaign_id) & (BRIEFING_IMAGES.c.id == image_id)


def _no_image(campaign_id: str, image_id: str) -> NotFound:
    return NotFound(f"campaign {campaign_id!r} has no image {image_id!r}")


def _acknowledge(connection: Connection, campaign_id: str, step: Step) -> Briefing:
    present = _present(connection, campaign_id)
    outcome = step(present)
    if outcome is None:
        return present
    given, event = outcome
    row = {"campaign": campaign_id, "version": given.version, "acknowledged_by": given.by}
    connection.execute(insert(ACKNOWLEDGEMENTS).values(row | {"name": given.name, "at": given.at}))
    append_events(connection, [event])
    return _present(connection, campaign_id)
