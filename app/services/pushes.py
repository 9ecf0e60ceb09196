"""Takes in what contact centers' systems push in their own form, each by the reader of its configured source."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.ports.pushes import PushReader
from app.services.ingest import Ingest, IngestResult
from app.services.refusals import Faulty


class PushResult(NamedTuple):
    """What became of a push. ignored: things it told that are of no use here."""

    ingested: IngestResult
    ignored: int


class Pushes:
    """The way into the stream for systems that cannot send our form. sources: the names of all configured sources."""

    def __init__(self, readers: Mapping[str, PushReader], sources: Collection[str], ingest: Ingest) -> None:
        self._readers, self._sources, self._ingest = readers, sources, ingest

    async def take(self, name: str, body: bytes) -> PushResult:
        """Return once the acceptable events are durable.

        Raises NotFound for a source that is not configured, Conflict for one that takes no pushes, Invalid for a body
        that makes no sense (which the source's health shows then), and NotDurable.
        """
        reader = self._readers.get(name)
        if reader is None:
            raise self._no_reader(name)
        try:
            pushed = reader(body)
        except Invalid as fault:
            faulty = Faulty()
            faulty.add([(Problem("", str(fault)), None)])
            self._ingest.refused({name: faulty})
            raise
        ingested = await self._ingest.contacts(pushed.events) if pushed.events else IngestResult(0, 0, ())
        return PushResult(ingested, pushed.ignored)

    def _no_reader(self, name: str) -> NotFound | Conflict:
        if name in self._sources:
            return Conflict(
                f"the source {name!r} takes no pushes as it is configured; its documentation says what does"
            )
        takers = ", ".join(self._readers) or "none"
        return NotFound(f"there is no source {name[:128]!r} in holdfire.toml; those that take pushes: {takers}")
