"""Which kind of file says which metric of a queue. Pure."""

import re
from datetime import datetime, timedelta

from app.core.floor.observation import Observation
from app.ports.stream import Payload
from app.services.trials import Rejected
from workers.sources.lot import Lot

SPAN = timedelta(hours=1)
_METRICS = Observation._fields[Observation._fields.index("backlog") :]
_DIGITS = re.compile(r"[0-9]+")


class Speakers:
    """Remembers which kinds of files said a metric of a queue within the last hour: their names without digits.

    Files of one export follow each other; where two kinds take turns, as voice-1204.csv and chat-1204.csv, each undoes
    what the other said, and a long queue could pass for a short one. Such a queue is not believed from then on: what is
    not known holds.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], dict[str, datetime]] = {}
        self._torn: set[str] = set()

    def heard(self, name: str, lot: Lot) -> Lot:
        """Return what the file of this name says without the queues that two kinds of files speak of in turns."""
        kind = _DIGITS.sub("", name)
        for payload in lot.payloads:
            if isinstance(payload, Observation):
                self._hear(kind, payload)
        believed: list[Payload] = []
        rejected = list(lot.rejected)
        for number, payload in enumerate(lot.payloads, start=1):
            if isinstance(payload, Observation) and payload.queue in self._torn:
                rejected.append(Rejected(number, "queue", _WHY))
            else:
                believed.append(payload)
        return Lot(believed, rejected)

    def _hear(self, kind: str, said: Observation) -> None:
        for metric in _METRICS:
            if getattr(said, metric) is None:
                continue
            by_kind = self._said.setdefault((said.queue, metric), {})
            for other in [each for each, at in by_kind.items() if said.observed_at - at > SPAN]:
                del by_kind[other]
            mine = by_kind.get(kind)
            if mine is not None and any(mine <= at for other, at in by_kind.items() if other != kind):
                self._torn.add(said.queue)
            by_kind[kind] = said.observed_at if mine is None else max(mine, said.observed_at)


_WHY = (
    "two kinds of files say the same of one queue in turns, so neither counts; let `pattern` choose one of them,"
    " or name the queue apart, and start anew"
)
