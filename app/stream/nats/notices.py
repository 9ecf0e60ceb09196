"""The number of the last change that any replica made, told over NATS to those who cannot ask the database as well."""

import asyncio
from collections.abc import Collection

from app.stream.nats.session import Session, open_session
from app.stream.nats.stream import Place


class Notices:
    """The Notices port, on a connection of its own that is made anew when it is lost. `close` ends it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    async def tell(self, revision: int) -> None:
        """Return once nobody who asks hears of a lower one. Raises HoldfireError."""
        await (await self._connected()).note(revision)

    async def newest(self) -> int:
        """Return the highest number told so far, 0 before the first. Raises HoldfireError."""
        return (await (await self._connected()).noted()).revision

    async def be_there(self, name: str) -> None:
        """Be told of by `there` for the next 10 seconds. Raises HoldfireError."""
        await (await self._connected()).be_there(name)

    async def there(self) -> Collection[str]:
        """Return the names of those that were there within the last 10 seconds. Raises HoldfireError."""
        return await (await self._connected()).there()

    async def aclose(self) -> None:
        """End the connection. Closing twice is fine."""
        if self._session is not None:
            await self._session.close()

    async def _connected(self) -> Session:
        async with self._connecting:
            if self._session is None or self._session.is_lost:
                await self.aclose()
                self._session = await open_session(*self._place)
            return self._session
