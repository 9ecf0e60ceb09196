"""Two topics that speak of one queue: side by side where they say different things, not at all where the same."""

import pytest

from app.core.floor.observation import Observation
from app.services.trials import Rejected
from tests.support.builders import NOW
from workers.sources.lot import Lot
from workers.sources.mqtt import speakers
from workers.sources.mqtt.speakers import Speakers
from workers.sources.mqtt.translate import Message


def heard(speakers, topic, **said):
    observation = Observation("sales", NOW, "broker", **said)
    lot = speakers.heard(Message(topic, b"", NOW), Lot((observation,)))
    assert lot.payloads in ([observation], [])
    return [each.detail for each in lot.rejected] or "believed"


def test_topics_that_say_different_things_of_a_queue_are_believed_side_by_side():
    topics = Speakers()
    for _ in range(2):
        assert heard(topics, "acd/sales/backlog", backlog=3) == "believed"
        assert heard(topics, "acd/sales/agents", agents_staffed=9, agents_available=1) == "believed"


def test_a_queue_of_which_two_topics_say_the_same_is_not_believed_again_whoever_speaks():
    topics = Speakers()
    assert heard(topics, "acd/sales/north", backlog=50) == "believed"
    (fault,) = heard(topics, "acd/sales/south", backlog=0)
    assert fault.startswith("acd/sales/north and acd/sales/south both say the backlog of one queue")
    assert heard(topics, "acd/sales/north", backlog=50) == [fault]
    assert heard(topics, "acd/sales/agents", agents_staffed=9) == [fault]


def test_what_was_rejected_before_stays_rejected():
    before = Rejected(1, "backlog", "must be a number")
    assert Speakers().heard(Message("acd/sales", b"", NOW), Lot((), [before])).rejected == [before]


def test_no_broker_fills_the_memory_with_names(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speakers, "MOST_QUEUES", 1)
    topics = Speakers()
    assert heard(topics, "acd/sales", backlog=1) == "believed"
    other = Observation("care", NOW, "broker", backlog=1)
    assert not topics.heard(Message("acd/care", b"", NOW), Lot((other,))).payloads
