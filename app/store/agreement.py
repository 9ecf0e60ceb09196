"""What was changed here is seen by every replica before whoever changed it is told so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Row

from app.errors import HoldfireError
from app.ports.replicas import Notices

T = TypeVar("T")

log = logging.getLogger(__name__)

GONE_SECONDS = 7  # a replica that could not say for so long what it has seen does not rely on its memory any more
FORGOTTEN_SECONDS = 3_600  # nobody is cut off from the database, and not from NATS, for longer without being seen to
NOTICED_SECONDS = 4.0  # for so long a replica relies on having heard of no change
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.002, 0.1

_CHANGED = "SELECT nullif(current_setting('holdfire.changed', true), '')::bigint"
_BEHIND = """
SELECT 1 FROM replicas WHERE seen < %(revision)s AND seen_at > clock_timestamp() - %(gone)s * interval '1 s' LIMIT 1"""
_CUT_OFF = """
SELECT name FROM replicas
WHERE seen < %(revision)s AND seen_at > clock_timestamp() - %(forgotten)s * interval '1 s'"""


class Read(Protocol):
    """Reads a database."""

    def __call__(self, work: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run `work` on one unchanging picture of the database."""


def changed_by(connection: Connection) -> int | None:
    """Return the number of the last change this transaction made of what replicas remember, None: it made none."""
    number: int | None = connection.exec_driver_sql(_CHANGED).scalar()
    return number


async def seen_everywhere(read: Read, revision: int, notices: Notices | None = None) -> None:
    """Return once every replica has seen a change, or may not rely on its memory any more: after 11 s at the latest."""
    if notices is not None:
        await _tell(notices, revision)
    await _seen_or_gone(read, revision)
    if notices is not None and await _relies_on_notices(read, notices, revision):
        await asyncio.sleep(NOTICED_SECONDS)  # they have heard the notice by then


async def _relies_on_notices(read: Read, notices: Notices, revision: int) -> bool:
    """Tell whether some replica may be there that has not seen a change, and cannot ask the database."""
    try:
        cut_off = {row.name for row in await _found(read, _CUT_OFF, revision)}
        return bool(cut_off) and not cut_off.isdisjoint(await notices.there())
    except HoldfireError:
        return True


async def _tell(notices: Notices, revision: int) -> None:
    try:
        async with asyncio.timeout(NOTICED_SECONDS):
            await notices.tell(revision)
    except (HoldfireError, TimeoutError) as fault:
        log.warning("change_not_noticed", extra={"revision": revision, "error": str(fault)})


async def _seen_or_gone(read: Read, revision: int) -> None:
    deadline, pause = monotonic() + GONE_SECONDS, FIRST_PAUSE_SECONDS
    while monotonic() < deadline:
        try:
            if not await _found(read, _BEHIND, revision):
                return
        except HoldfireError:  # then no replica can say that it has seen anything
            pause = LONGEST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)


async def _found(read: Read, query: str, revision: int) -> Sequence[Row[Any]]:
    values = {"revision": revision, "gone": GONE_SECONDS, "forgotten": FORGOTTEN_SECONDS}
    return await read(lambda connection: connection.exec_driver_sql(query, values).all())
