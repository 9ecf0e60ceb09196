"""This process among the replicas that share one installation."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

TakeIn = Callable[[Collection[str]], Awaitable[None]]


class Replicas(Protocol):
    """What a replica has to know of the others.

    What people change through one of them is known to all before they are told that it is done, or the others know
    that they may not know it. What is to happen once, the one that leads does.
    """

    def confirmed_until(self) -> float:
        """Return until when, by time.monotonic(), answers may rely on what is known here; it moves on while they may.

        Whoever changes something elsewhere waits until it is known here, or until then.
        """

    def leads(self) -> bool:
        """Tell whether what is to happen once is for this process to do now. May be called from any thread."""

    async def led(self) -> None:
        """Return once this process leads."""

    async def not_led(self) -> None:
        """Return once this process leads no more."""

    async def run(self, stop: asyncio.Event, take_in: TakeIn) -> None:
        """Follow the others until `stop` is set. take_in reads anew what was changed, by name; then it is known."""


class Notices(Protocol):
    """A way besides the database by which replicas hear that something was changed."""

    async def tell(self, revision: int) -> None:
        """Return once nobody who asks hears of a lower number. Raises HoldfireError."""

    async def be_there(self, name: str) -> None:
        """Be told of by `there` for the next 10 seconds. Raises HoldfireError."""

    async def there(self) -> Collection[str]:
        """Return the names of those that were there within the last 10 seconds. Raises HoldfireError."""

    async def newest(self) -> int:
        """Return the highest number told so far, 0 before the first. Raises HoldfireError."""


class OnlyOne:
    """The only process there is: it leads, and nothing is changed behind its back."""

    def confirmed_until(self) -> float:
        return math.inf

    def leads(self) -> bool:
        return True

    async def led(self) -> None:
        return

    async def not_led(self) -> None:
        await asyncio.Event().wait()

    async def run(self, stop: asyncio.Event, take_in: TakeIn) -> None:  # noqa: ARG002  # there is nothing to take in
        await stop.wait()
