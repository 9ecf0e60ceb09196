from dataclasses import fields
from datetime import UTC, datetime

import pytest

from app.core.gate.decision import GateMemory, Verdict
from app.store.memories import _Memory, memories_from_json, memories_to_json


def test_every_field_of_a_gates_memory_is_written_down():
    assert _Memory.__struct_fields__ == tuple(field.name for field in fields(GateMemory))


@pytest.mark.parametrize("text", ["", "{", '{"default": 5}', '[["hold", null, []]]'])
def test_text_that_holds_no_memories_is_refused(text):
    with pytest.raises(ValueError, match=r"Expected|truncated|malformed"):
        memories_from_json(text)


def test_what_was_told_survives_and_text_from_before_it_was_kept_is_read():
    at = datetime(2026, 11, 21, 15, 0, 0, 123456, tzinfo=UTC)
    memory = GateMemory(Verdict.SEND, at, {}, Verdict.HOLD, at)
    assert memories_from_json(memories_to_json({"default": memory})) == {"default": memory}
    former = '{"default": ["hold", "2026-11-21T15:00:00.123456Z", []]}'
    assert memories_from_json(former) == {"default": GateMemory(Verdict.HOLD, at, {})}
