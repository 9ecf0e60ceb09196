"""Where the settings put the stream, and waiting until it is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from app.settings import Settings
from app.stream.nats.notices import Notices
from app.stream.nats.search import last_of
from app.stream.nats.session import Keeping, Unreachable, open_session
from app.stream.nats.stream import Place
from app.stream_address import parse_stream_address

AGAIN_SECONDS = 1.0


def place_of(settings: Settings) -> Place | None:
    """Return where the stream is, None when it is in the database."""
    if not settings.stream_url:
        return None
    keeping = Keeping(settings.stream_hours, settings.stream_replicas)
    return Place(parse_stream_address(settings.stream_url), keeping)


@asynccontextmanager
async def notices_of(settings: Settings) -> AsyncIterator[Notices | None]:
    """Yield how replicas hear of changes without the database, None where the stream is in there as well."""
    place = place_of(settings)
    if place is None:
        yield None
        return
    async with aclosing(Notices(place)) as notices:
        yield notices


async def try_place(place: Place) -> int:
    """Return the position of the stream's last record; it is made when it is not there, then 0.

    Raises Unreachable; Invalid for what only an operator can change.
    """
    session = await open_session(*place)
    try:
        state = await session.state()
        newest = await last_of(session, state.first, state.last)
    finally:
        await session.close()
    return newest.front.head if newest else 0


async def until_there(place: Place, say: Callable[[str], None]) -> None:
    """Return once the stream can be used, and say each new reason why it cannot yet. Raises Invalid."""
    said = ""
    while True:
        try:
            await try_place(place)
        except Unreachable as fault:
            if str(fault) != said:
                said = str(fault)
                say(f"waiting for the stream that HOLDFIRE_STREAM_URL names: {fault}; trying again until it is there")
        else:
            return
        await asyncio.sleep(AGAIN_SECONDS)
