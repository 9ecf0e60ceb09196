from datetime import UTC, datetime

import pytest

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.observation import Observation
from workers.sources.ndjson.translate import Translator


def test_an_observation_is_read_with_its_time_in_utc():
    said = Translator(Observation).line('{"queue":"q","observed_at":"2026-01-01T01:00:00+02:00","backlog":3}')
    assert said == [Observation("q", datetime(2025, 12, 31, 23, tzinfo=UTC), "replay", backlog=3)]


def test_a_contact_event_is_read():
    said = Translator(ContactEvent).line(
        '{"contact_id":"c","queue":"q","event":"queued","at":"2026-01-01T00:00:00Z","source":"acd"}'
    )
    assert said == [ContactEvent("c", "q", ContactEventKind.QUEUED, datetime(2026, 1, 1, tzinfo=UTC), "acd")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"queue":"q"}', "missing required field `observed_at`"),
        ('{"queue":"q","observed_at":"2026-01-01T00:00:00","backlog":1}', "timezone"),
        ('{"queue":"q","observed_at":"0001-01-01T00:00:00+14:00","backlog":1}', "out of range"),
        ('{"queue":"q","observed_at":"2026-01-01T00:00:00Z","backlog":"1"}', "backlog"),
        ('{"queue":"q","observed_at":"2026-01-01T00:00:00Z","caller":"x"}', "unknown field `caller`"),
    ],
)
def test_a_malformed_line_is_counted_with_its_reason(line, reason):
    translator = Translator(Observation)
    assert translator.line(line) == []
    assert translator.tally.malformed == 1
    assert reason in translator.tally.faults[0].reason


def test_blank_lines_are_skipped():
    translator = Translator(Observation)
    assert translator.line("  \n") == []
    assert translator.tally.skipped == {"blank": 1}
