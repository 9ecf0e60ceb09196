"""Whatever a system answers: observations that are what the mapping says, rejected rows, or one TranslateError."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.observation import Observation
from tests.support.builders import NOW
from workers.sources.http_json.translate import translate
from workers.sources.lot import Lot
from workers.sources.mapping.config import row_map
from workers.sources.mapping.units import FIELDS, units_of
from workers.sources.mqtt.translate import Layout, Message
from workers.sources.mqtt.translate import translate as translate_message
from workers.systems.faults import TranslateError
from workers.systems.table import Table
from workers.systems.web import LARGEST_BYTES

MAP = row_map(
    Table(
        "sources[0]",
        {
            "mapping": {
                "rows": "q",
                "queue_from": "n",
                "channel_from": "c",
                "observed_at_from": "at",
                "window_seconds": 60,
                "metrics": {name: {"from": "v", "unit": units_of(name)[-1]} for name in FIELDS},
            }
        },
    ),
    "acd",
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
ANYTHING = st.recursive(SCALARS, lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=3), each))
VALUES = ANYTHING | st.sampled_from(["71 %", "01:02:03", "2026-11-21T15:00:00Z", "-1", ""])
ROWS = st.fixed_dictionaries({}, optional={"n": VALUES, "c": VALUES, "at": VALUES, "v": VALUES})
DOCUMENTS = ANYTHING | st.fixed_dictionaries({"q": st.lists(ROWS | ANYTHING, max_size=4) | ANYTHING})


def read(document) -> Lot | None:
    try:
        return MAP.read(document, NOW)
    except TranslateError:
        return None


@given(DOCUMENTS)
def test_any_json_is_read_or_refused_and_every_row_is_accounted_for(document):
    lot = read(document)
    if lot is None:
        return
    rows = document["q"] if isinstance(document["q"], list) else [document["q"]]
    assert len(lot.payloads) + len(lot.rejected) == len(rows)
    assert all(isinstance(each, Observation) and each.source == "acd" for each in lot.payloads)


@given(DOCUMENTS)
def test_nothing_is_quoted_in_a_rejection(document):
    secret = "+1 555 0100 777"
    lot = read({"q": [{"n": secret, "c": secret, "at": secret, "v": secret}, document]})
    assert lot is not None
    assert all(secret not in each.detail for each in lot.rejected)
    assert len(lot.rejected) >= 1


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    try:
        translate(body, MAP, NOW)
    except TranslateError as fault:
        assert str(fault)  # noqa: PT017 - either way is right, and no third


TOPICS = st.lists(st.sampled_from(["orders", "", "+1 555 0100 100", "a b"]) | st.text(max_size=4), max_size=3).map(
    "/".join
)


@given(TOPICS, st.binary(max_size=40) | DOCUMENTS.map(msgspec.json.encode), st.booleans())
def test_any_message_is_read_or_refused(topic, payload, retained):
    layout = Layout(replace(MAP, queue_from=None, at=None), queue_level=2)
    try:
        lot = translate_message(Message(topic, payload, NOW, retained), layout)
    except TranslateError:
        return
    assert all(isinstance(each, Observation) and each.queue in topic for each in lot.payloads)
    assert not (retained and lot.payloads)


def test_a_message_as_large_as_no_answer_may_be_is_not_read():
    lot = translate_message(Message("acd/orders", b" " * LARGEST_BYTES + b"1", NOW), Layout(MAP))
    assert (list(lot.payloads), [each.detail for each in lot.rejected]) == (
        [],
        ["a message of more than 8,388,608 bytes"],
    )
