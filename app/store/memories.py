"""The gates' memories and the known queues as JSON text, and back exactly as they were."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.core.floor.queue_state import KnownQueue
from app.core.gate.decision import GateMemory, RuleMemory, Verdict
from app.core.gate.foresight import OutlookMemory


class _Memory(msgspec.Struct, array_like=True):
    """GateMemory with its rules as a list, because a JSON key cannot be a pair.

    told and outlook came later: they may be missing.
    """

    verdict: Verdict | None
    since: datetime | None
    rules: list[tuple[str, str, RuleMemory]]
    told: Verdict | None = None
    told_since: datetime | None = None
    outlook: OutlookMemory | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, _Memory])
_known_decoder = msgspec.json.Decoder(dict[str, KnownQueue])


def memories_to_json(memories: Mapping[str, GateMemory]) -> str:
    """Return every gate's memory as one JSON text; instants keep their microseconds."""
    return _encoder.encode({gate: _packed(memory) for gate, memory in memories.items()}).decode()


def memories_from_json(text: str) -> dict[str, GateMemory]:
    """Return the memories that memories_to_json was given. Raises ValueError for any other text."""
    return {gate: _unpacked(memory) for gate, memory in _decoder.decode(text).items()}


def known_to_json(known: Mapping[str, KnownQueue]) -> str:
    """Return the known queues as one JSON text."""
    return _encoder.encode(known).decode()


def known_from_json(text: str) -> dict[str, KnownQueue]:
    """Return the queues that known_to_json was given. Raises ValueError for any other text."""
    return _known_decoder.decode(text)


def _packed(memory: GateMemory) -> _Memory:
    rules = [(rule, queue, remembered) for (rule, queue), remembered in memory.rules.items()]
    return _Memory(memory.verdict, memory.since, rules, memory.told, memory.told_since, memory.outlook)


def _unpacked(memory: _Memory) -> GateMemory:
    rules = {(rule, queue): remembered for rule, queue, remembered in memory.rules}
    return GateMemory(memory.verdict, memory.since, rules, memory.told, memory.told_since, memory.outlook)
