"""Charts that many look at: drawn once for all who chose the same, and again after a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

KEPT = 64


class _Drawn(NamedTuple):
    answer: "asyncio.Future[bytes]"
    until: float


class SharedCharts:
    """Keeps finished answers for as long as they may be shown again. For use on the event loop only."""

    def __init__(self) -> None:
        self._drawn: dict[Hashable, _Drawn] = {}

    async def once(self, key: Hashable, make: Callable[[], Awaitable[tuple[bytes, float]]]) -> bytes:
        """Return what `make` returns, a body and for how many seconds it is good; the same for all who ask meanwhile.

        Raises what it raises, and asks it anew the next time.
        """
        drawn = self._drawn.get(key)
        if drawn is None or time.monotonic() > drawn.until:
            future: asyncio.Future[bytes] = asyncio.ensure_future(self._made(key, make))
            drawn = _Drawn(future, float("inf"))
            self._drawn.pop(key, None)
            self._drawn[key] = drawn
            for oldest in list(self._drawn)[:-KEPT]:
                del self._drawn[oldest]
        return await asyncio.shield(drawn.answer)

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[tuple[bytes, float]]]) -> bytes:
        try:
            body, seconds = await make()
        except BaseException:
            self._drawn.pop(key, None)
            raise
        if (drawn := self._drawn.get(key)) is not None:
            self._drawn[key] = drawn._replace(until=time.monotonic() + seconds)
        return body
