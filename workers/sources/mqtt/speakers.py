"""Which topic says which metric of a queue. Pure."""

from app.core.floor.observation import Observation
from app.ports.stream import Payload
from app.services.trials import Rejected
from workers.sources.lot import Lot
from workers.sources.mqtt.translate import Message

MOST_QUEUES = 10_000
_METRICS = Observation._fields[Observation._fields.index("backlog") :]


class Speakers:
    """Remembers for every metric of a queue the one topic that says it.

    Where two do, each would undo what the other said, and a long queue could pass for a short one. Such a queue is not
    believed from then on, whoever speaks of it: what is not known holds.
    """

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, str]] = {}
        self._torn: dict[str, str] = {}

    def heard(self, message: Message, lot: Lot) -> Lot:
        """Return the lot of one message without what is said of queues that two topics speak of; those are rejected."""
        believed: list[Payload] = []
        rejected = list(lot.rejected)
        for number, payload in enumerate(lot.payloads, 1):
            fault = self._fault(message.topic, payload) if isinstance(payload, Observation) else None
            if fault is None:
                believed.append(payload)
            else:
                rejected.append(Rejected(number, "queue", fault))
        return Lot(believed, rejected)

    def _fault(self, topic: str, said: Observation) -> str | None:
        if fault := self._torn.get(said.queue):
            return fault
        topics = self._topics.get(said.queue)
        if topics is None:
            if len(self._topics) >= MOST_QUEUES:
                return f"more than {MOST_QUEUES:,} queues"
            topics = self._topics[said.queue] = {}
        for metric in _METRICS:
            if getattr(said, metric) is not None and topics.setdefault(metric, topic) != topic:
                first, second = sorted((topics[metric], topic))
                self._torn[said.queue] = (
                    f"{first} and {second} both say the {metric} of one queue, so neither counts;"
                    " name the queue by another queue_level, or subscribe to one of them, and start anew"
                )
                return self._torn[said.queue]
        return None
