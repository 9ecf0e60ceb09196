"""How a contact center's own system may send us its events, in its own form."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.core.floor.contact import ContactEvent


class Pushed(NamedTuple):
    """What one push means: contact events of the source, and how many of what it told are of no use here."""

    events: Sequence[ContactEvent]
    ignored: int = 0


class PushReader(Protocol):
    """Reads what one configured source's system pushes. Pure."""

    def __call__(self, body: bytes, /) -> Pushed:
        """Return what a body means. Raises Invalid saying what is allowed; the sentence never quotes the body."""
