from dataclasses import fields

import pytest

from app.core.gate.decision import GateMemory
from app.store.memories import _Memory, memories_from_json


def test_every_field_of_a_gates_memory_is_written_down():
    assert _Memory.__struct_fields__ == tuple(field.name for field in fields(GateMemory))


@pytest.mark.parametrize("text", ["", "{", '{"default": 5}', '[["hold", null, []]]'])
def test_text_that_holds_no_memories_is_refused(text):
    with pytest.raises(ValueError, match=r"Expected|truncated|malformed"):
        memories_from_json(text)
