"""What was changed here is seen by every replica before whoever changed it is told so."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from app.errors import HoldfireError

T = TypeVar("T")

GONE_SECONDS = 7  # a replica that could not say for so long what it has seen does not rely on its memory any more
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.002, 0.1

_CHANGED = "SELECT nullif(current_setting('holdfire.changed', true), '')::bigint"
_BEHIND = "SELECT 1 FROM replicas WHERE seen < %s AND seen_at > clock_timestamp() - %s * interval '1 s' LIMIT 1"


class Read(Protocol):
    """Reads a database."""

    def __call__(self, work: Callable[[Connection], T], /) -> Awaitable[T]:
        """Run `work` on one unchanging picture of the database."""


def changed_by(connection: Connection) -> int | None:
    """Return the number of the last change this transaction made of what replicas remember, None: it made none."""
    number: int | None = connection.exec_driver_sql(_CHANGED).scalar()
    return number


async def seen_everywhere(read: Read, revision: int) -> None:
    """Return once every replica has seen a change, or may not rely on its memory any more: after 7 s at the latest."""
    deadline, pause = monotonic() + GONE_SECONDS, FIRST_PAUSE_SECONDS
    while monotonic() < deadline:
        try:
            if not await read(partial(_is_behind, revision=revision)):
                return
        except HoldfireError:  # then no replica can say that it has seen anything
            pause = LONGEST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)


def _is_behind(connection: Connection, revision: int) -> bool:
    return connection.exec_driver_sql(_BEHIND, (revision, GONE_SECONDS)).first() is not None
