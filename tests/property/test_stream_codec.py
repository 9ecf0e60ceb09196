"""What a message of the stream says is what was written into it, and bytes that nobody wrote are found out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.instants import micros
from app.core.floor.observation import Observation
from app.stream.nats.codec import Unreadable, encoded, front_of, key_of, keys_of, records_of
from tests.support.builders import NOW, after

names = st.sampled_from(("a", "b ü", "c"))
instants = st.integers(-10_000_000, 10_000_000).map(lambda number: after(number / 1_000_000))
numbers = st.none() | st.integers(0, 1 << 40)
seconds = st.none() | st.floats(0, 1e9)


def an_observation(queue, at, source, channel, fields):
    return Observation(queue, at, source, channel, *fields)


def a_contact(contact_id, queue, kind, at, fields):
    return ContactEvent(contact_id, queue, kind, at, *fields)


observations = st.builds(
    an_observation, names, instants, names, st.none() | names, st.tuples(numbers, seconds, numbers, numbers)
)
contacts = st.builds(
    a_contact, names, names, st.sampled_from(ContactEventKind), instants, st.tuples(names, st.none() | names)
)
appends = st.lists(st.tuples(instants, st.lists(observations | contacts, min_size=1, max_size=20)), max_size=5)


@given(st.integers(0, 1 << 62), appends)
def test_records_come_back_in_order_with_their_positions_and_keys(base, written):
    received = [(micros(at), payloads) for at, payloads in written]
    message = encoded(base, 7, received)
    records = records_of(message)
    expected = [(at, payload) for at, payloads in written for payload in payloads]
    assert [(record.received_at, record.payload) for record in records] == expected
    assert [record.position for record in records] == list(range(base + 1, base + 1 + len(expected)))
    assert [type(record.payload) for record in records] == [type(payload) for _, payload in expected]
    assert keys_of(message) == [key_of(payload) for _, payload in expected]
    assert front_of(message) == (base, 7, len(expected))


@given(appends.filter(bool), st.data())
def test_half_a_message_is_unreadable(written, data):
    message = encoded(0, 0, [(micros(at), payloads) for at, payloads in written])
    half = message[: data.draw(st.integers(0, len(message) - 1))]
    for read in (records_of, keys_of):
        with pytest.raises(Unreadable):
            read(half)


@given(st.binary(max_size=200))
def test_bytes_that_nobody_wrote_are_unreadable(noise):
    for read in (records_of, keys_of):
        with pytest.raises(Unreadable):
            read(noise)


def test_what_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        encoded(0, 0, [(0, [Observation("half a character \ud800", NOW, "s", backlog=1)])])
