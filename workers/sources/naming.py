"""Names that the floor accepts, made from whatever a contact center uses. Pure."""

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from app.core.floor.contact import ContactEvent, ContactEventKind, problems

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def acceptable(name: str) -> str:
    """Return a contact's or agent's name as given, or its hash where it is too long or looks like a person's address.

    Asterisk, for one, lets channels ("Local/x@out.example.com") serve as names of agents. Always the same for the same
    name, so what belongs together stays together.
    """
    probe = ContactEvent(name, "queue", ContactEventKind.QUEUED, _EPOCH, "source")
    return name if not problems(probe, _EPOCH) else f"sha256-{sha256(name.encode()).hexdigest()[:32]}"
