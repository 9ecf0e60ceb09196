"""What somebody changes is known to every replica before they are answered, and not before memory here follows it.

Memory must not wait for the others: what one of them changes meanwhile, and is read anew here, would be undone.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Known = Callable[[], Awaitable[None]]


class Asking:
    """Somebody who asks for changes, and what all replicas have to know before the answer."""

    def __init__(self) -> None:
        self._newest: tuple[int, Known] | None = None

    def note(self, revision: int, known: Known) -> None:
        """Keep what waits for a change, unless a later one is waited for already: that includes it."""
        if self._newest is None or revision > self._newest[0]:
            self._newest = revision, known

    async def settle(self) -> None:
        """Return once all replicas know what was changed."""
        newest, self._newest = self._newest, None
        if newest is not None:
            await newest[1]()


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)


@contextmanager
def asking() -> Iterator[Asking]:
    """Let changes made inside, and by tasks begun inside, wait for `settle` only; for nobody where that is not called.

    Outside each change waits by itself.
    """
    who = Asking()
    token = _asking.set(who)
    try:
        yield who
    finally:
        _asking.reset(token)


async def before_answering(revision: int, known: Known) -> None:
    """Wait with `known` for a change before whoever asked for it is answered: now, where nobody was said to ask."""
    who = _asking.get()
    if who is None:
        await known()
    else:
        who.note(revision, known)
