"""Pieces of pages that many look at: made once for all who ask for the same, and again after a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

KEPT = 96


class _Made(NamedTuple):
    answer: "asyncio.Future[bytes]"
    until: float


class SharedAnswers:
    """Keeps finished answers for as long as they may be shown again. For use on the event loop only."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Made] = {}

    async def once(self, key: Hashable, make: Callable[[], Awaitable[tuple[bytes, float]]]) -> bytes:
        """Return what `make` returns, a body and for how many seconds it is good; the same for all who ask meanwhile.

        Raises what it raises, and asks it anew the next time.
        """
        made = self._kept.get(key)
        if made is None or time.monotonic() > made.until:
            future: asyncio.Future[bytes] = asyncio.ensure_future(self._make(key, make))
            made = _Made(future, float("inf"))
            self._kept.pop(key, None)
            self._kept[key] = made
            for oldest in list(self._kept)[:-KEPT]:
                del self._kept[oldest]
        return await asyncio.shield(made.answer)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[tuple[bytes, float]]]) -> bytes:
        try:
            body, seconds = await make()
        except BaseException:
            self._kept.pop(key, None)
            raise
        if (made := self._kept.get(key)) is not None:
            self._kept[key] = made._replace(until=time.monotonic() + seconds)
        return body
