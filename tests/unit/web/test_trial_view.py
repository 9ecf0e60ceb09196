from zoneinfo import ZoneInfo

from app.services.trials import Rejected, trial_of
from app.web.sources.trial_view import missed_row, seen_row, verdict
from tests.support.builders import NOW, a_contact, after, an_observation

UTC = ZoneInfo("UTC")


def test_a_trial_in_a_sentence():
    one = an_observation("a", NOW, source="acd", backlog=1)
    rejected = [Rejected(2, "backlog", "no")]
    assert verdict(trial_of([], [], NOW)) == "It names no queue, so nothing would come in."
    assert verdict(trial_of([], rejected, NOW)) == "Nothing of it would come in."
    assert verdict(trial_of([one], [], NOW)) == "1 value of 1 queue would come in."
    both = trial_of([one, one._replace(queue="b")], rejected * 2, NOW)
    assert verdict(both) == "2 values of 2 queues would come in; 2 rows would be rejected."


def test_values_are_in_their_units_with_their_age():
    level = an_observation("a", NOW, source="acd", service_level_ratio=0.71, window_seconds=300)
    rows = [seen_row(each, UTC) for each in trial_of([level], [], after(90)).seen]
    assert [(row.title, row.value, row.age) for row in rows] == [
        ("Service level", "71\u202f%", "1\u202fmin 30\u202fs"),
        ("Window seconds", "5\u202fmin", "1\u202fmin 30\u202fs"),
    ]


def test_a_contact_event_shows_neither_its_id_nor_its_agent():
    (seen,) = trial_of([a_contact("queued", NOW, "c-1", "a", "acd")._replace(agent="SIP/7")], [], NOW).seen
    row = seen_row(seen, UTC)
    assert (row.queue, row.metric, row.value) == ("a", "contact event", "queued")
    assert "c-1" not in repr(seen)
    assert "SIP/7" not in repr(seen)


def test_what_was_understood_and_is_not_acceptable_is_told_apart():
    ahead = an_observation("a", after(3600), source="acd", backlog=1)
    (missed,) = trial_of([ahead], [], NOW).missed
    assert missed_row(missed).row == "understood, not acceptable"
    assert missed_row(missed).field == "observed_at"
