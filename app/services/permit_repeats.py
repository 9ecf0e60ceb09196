"""The same ask sent twice: in flight, refused a moment ago, or under a key that stood for another ask."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec

from app.core.permit.request import PermitRequest
from app.core.problem import Problem
from app.errors import Conflict, Invalid

MAX_REMEMBERED = 20_000
REMEMBERED = timedelta(hours=24)


class AskKey(NamedTuple):
    """What makes two asks the same one: who asks, and the idempotency key they chose."""

    key_id: str
    idempotency_key: str


def digest_of(asked: PermitRequest) -> bytes:
    """Return the SHA-256 of what is asked; the same however it was written."""
    return sha256(msgspec.json.encode(asked)).digest()


def other_request(idempotency_key: str) -> Invalid:
    """Return the refusal of a key that stood for another request before."""
    detail = f"the idempotency key {idempotency_key!r} was sent before with another request; nothing was reserved"
    return Invalid(detail, [Problem("/header/idempotency-key", "choose a new key for a new request")])


class Asked:
    """Asks in flight, and refused ones: those reserved nothing, so all there is to know is what they asked.

    Granted ones are the store's to remember.
    """

    def __init__(self) -> None:
        self._in_flight: dict[AskKey, bytes] = {}
        self._refused: OrderedDict[AskKey, tuple[bytes, datetime]] = OrderedDict()

    @contextmanager
    def in_flight(self, key: AskKey, digest: bytes, now: datetime) -> Iterator[None]:
        """Hold a key while its ask is settled.

        Raises Invalid when it stands for another request, Conflict while the same one is being settled.
        """
        if self._in_flight.get(key, self._refused_as(key, now) or digest) != digest:
            raise other_request(key.idempotency_key)
        if key in self._in_flight:
            detail = f"the ask under the idempotency key {key.idempotency_key!r} is being settled; send it again then"
            raise Conflict(detail)
        self._in_flight[key] = digest
        try:
            yield
        finally:
            del self._in_flight[key]

    def was_refused(self, key: AskKey, now: datetime) -> bool:
        """Tell whether the last ask under a key was refused, so that nothing was granted under it."""
        return self._refused_as(key, now) is not None

    def refuse(self, key: AskKey, digest: bytes, now: datetime) -> None:
        """Remember a refused ask, in place of the oldest when there are too many."""
        self._refused[key] = digest, now
        self._refused.move_to_end(key)
        while len(self._refused) > MAX_REMEMBERED:
            self._refused.popitem(last=False)

    def forget(self, key: AskKey) -> None:
        """Forget a refused ask: something may be granted under its key."""
        self._refused.pop(key, None)

    def _refused_as(self, key: AskKey, now: datetime) -> bytes | None:
        digest, at = self._refused.get(key, (None, now))
        return digest if now - at < REMEMBERED else None
