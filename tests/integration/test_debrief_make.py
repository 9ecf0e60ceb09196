"""Debriefs of campaigns of known size, put into weeks of made-up history."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from app.core.debrief.debrief import Count, Method, State
from app.core.debrief.make import TooSoon, debrief
from app.core.debrief.question import Question, Send, Timeline
from app.core.debrief.tagging import Tally
from app.core.debrief.window import STEP
from tests.support.debriefing import DAY_STEPS, FIRST, SUBJECT, a_history, a_question, a_queue

SENT_THOUSANDS = 50
HOUR = timedelta(hours=1)
WAVES = tuple(Send(FIRST + number * HOUR / 2, 10_000) for number in range(5))


@cache
def large() -> Question:
    return a_question(per_1000=10.0)


def made(question: Question) -> tuple[Any, Any]:
    """Return the debrief and its lesson; a test says itself which of their members must be there."""
    return debrief(question)


@cache
def told() -> tuple[Any, Any]:
    return made(large())


def tally(minutes: int, contacts: int, reason: str = "", campaign: str = "spring") -> Tally:
    return Tally(campaign, "orders-voice", "voice", reason, FIRST + timedelta(minutes=minutes), contacts)


def tagged(*tallies: Tally, **members) -> Question:
    return replace(large(), tallies=tallies, **members)


def test_what_was_brought_lies_in_the_interval_and_both_estimates_stand_beside_each_other():
    found, _ = told()
    expected = 50 * 10 * 0.5615  # of the contacts of a message 56 % come in four hours
    contacts = found.contacts
    assert contacts.headline == replace(contacts.joint, said=contacts.headline.said)
    assert contacts.frozen.low < expected < contacts.frozen.high
    assert contacts.joint.low < expected < contacts.joint.high
    assert contacts.joint.high - contacts.joint.low < contacts.frozen.high - contacts.frozen.low
    assert contacts.headline.is_distinguishable
    assert contacts.headline.per_1000_low < 10 < contacts.headline.per_1000_high
    assert contacts.in_all == pytest.approx(contacts.headline.per_1000 * 50 * 0.9, rel=0.01)
    assert (found.state, found.queues[0].queue, found.tagged.contacts) == (State.RUNNING, "orders-voice", 0)


def test_a_campaign_that_nobody_answers_is_not_told_from_nothing():
    found, lesson = made(a_question(per_1000=0.0, seed=3))
    assert not found.contacts.headline.is_distinguishable
    assert "Not distinguishable from zero" in found.summary[1]
    assert any("may as well be 0" in doubt for doubt in found.unknown)
    assert lesson.per_1000 is not None


def test_the_forecast_that_stood_knows_nothing_of_what_came_after():
    question = large()
    history = question.queues[0].came_in
    came = len(history.values) - 48
    silenced = Timeline(history.start, history.values[:came] + (0.0,) * 48)
    other, _ = made(replace(question, queues=(replace(question.queues[0], came_in=silenced),)))
    found, _ = told()
    assert other.queues[0].forecast == found.queues[0].forecast
    assert other.contacts.frozen.contacts == pytest.approx(-found.queues[0].forecast)


def test_contacts_that_name_the_campaign_are_exact_where_none_seems_missing():
    found, lesson = made(tagged(tally(0, 200, "complaint"), tally(60, 150, "price"), tally(90, 10)))
    assert found.contacts.headline.method is Method.TAGGED
    assert (found.contacts.headline.low, found.contacts.headline.high) == (360, 360)
    assert found.contacts.headline.per_1000_low < found.contacts.headline.per_1000 < 17
    assert found.tagged.reasons == (Count("complaint", 200), Count("price", 150), Count("", 10))
    assert "360 contacts named the campaign, 200 of them as a complaint" in found.tagged.said
    assert lesson.mix == (("orders-voice", 360),)
    assert sum(lesson.lifts[0].contacts) == 360


def test_where_most_contacts_name_no_campaign_the_counts_are_gone_by():
    found, _ = made(tagged(tally(0, 9, "price"), tally(-600, 400)))
    assert found.contacts.headline.method is Method.JOINT
    assert (found.contacts.tagged.contacts, found.tagged.contacts) == (9, 9)


def test_without_tags_complaints_are_said_to_be_unknown_and_not_none():
    found, _ = told()
    assert found.tagged.said == "No contact named the campaign: not tagged, so reasons and complaints are not known."
    untold, _ = made(tagged(tally(0, 300)))
    assert "complaints are not tagged" in untold.tagged.said


def test_those_held_out_tell_the_difference_whatever_the_forecast_said():
    subject = replace(SUBJECT, audience=55_000, held_out=5_000)
    held = (tally(30, 40, campaign="spring/holdout"),)
    found, _ = made(tagged(tally(30, 900), subject=subject, held_out_tallies=held))
    assert found.contacts.headline == found.contacts.hold_out
    assert found.contacts.headline.contacts == pytest.approx(900 - 10 * 40)
    untold, _ = made(tagged(tally(30, 900), subject=subject))
    assert untold.contacts.hold_out is None
    assert any("no contact named spring/holdout" in doubt for doubt in untold.unknown)


def test_without_weeks_of_history_it_says_what_is_not_known_and_why():
    question = large()
    came_in = question.queues[0].came_in
    young = Timeline(FIRST - DAY_STEPS * STEP, came_in.values[-48 - DAY_STEPS :])
    found, lesson = made(replace(question, queues=(replace(question.queues[0], came_in=young),)))
    frozen_unknown = [doubt for doubt in found.unknown if "beyond the forecast cannot be told" in doubt]
    assert (found.contacts.frozen, len(frozen_unknown)) == (None, 1)
    nothing = replace(question.queues[0], came_in=Timeline(FIRST, came_in.values[-48:]))
    bare, lesson = made(replace(question, queues=(nothing,)))
    assert (bare.contacts.headline, bare.floor.at_once, lesson.per_1000) == (None, None, None)
    assert "not known" in bare.summary[1]
    assert any("less than 3 days of history" in doubt for doubt in bare.unknown)


def test_a_gate_without_queues_leaves_everything_unknown_but_what_was_sent():
    found, _ = made(replace(large(), queues=()))
    assert (found.sent.messages, found.contacts.headline, found.queues) == (50_000, None, ())
    assert any("no queue of its gate is known" in doubt for doubt in found.unknown)


def test_the_floor_is_best_with_nothing_sent_and_worst_with_everything_at_once():
    found, _ = made(a_question(per_1000=16.0, sends=WAVES))
    floor = found.floor
    levels = [each.figures.service_level_ratio for each in (floor.nothing, floor.as_sent, floor.at_once)]
    answers = [each.figures.speed_to_answer_seconds for each in (floor.nothing, floor.as_sent, floor.at_once)]
    assert levels == sorted(levels, reverse=True)
    assert answers == sorted(answers)
    assert levels[0] - levels[2] > 0.05
    assert floor.as_sent.figures.offered == pytest.approx(floor.measured.figures.offered, rel=1e-6)
    assert len(floor.at_once.course.backlog) == 72
    assert floor.measured.figures.service_level_ratio is None


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"agents": (None,) * 48}, "how many agents there were"),
        ({"agents": (0.0,) * 48}, "how many agents there were"),
        ({"handle_seconds": None}, "its handle time"),
        ({"waiting": None}, "how it stood"),
        ({"handle_seconds": float("nan")}, "nan must be > 0"),
    ],
)
def test_a_floor_that_cannot_be_calculated_is_not_and_it_says_why(members, why):
    question = large()
    found, _ = made(replace(question, queues=(replace(question.queues[0], **members),)))
    assert (found.floor.as_sent, found.floor.at_once, found.floor.nothing) == (None, None, None)
    assert any("orders-voice could not be calculated" in doubt and why in doubt for doubt in found.unknown)


def test_before_five_minutes_are_over_nothing_can_be_said():
    with pytest.raises(TooSoon, match="'spring' began a few minutes ago"):
        made(replace(large(), at=FIRST + timedelta(seconds=299)))


def test_what_another_campaign_brought_is_left_out_of_what_came():
    question = large()
    values = question.queues[0].came_in.values
    lifted = tuple(np.where(np.arange(len(values)) >= len(values) - 24, 5.0, 0.0))
    found, _ = made(replace(question, queues=(replace(question.queues[0], lifted=lifted),), others=("summer",)))
    before, _ = told()
    assert before.queues[0].offered - found.queues[0].offered == 24 * 5
    assert any("Also sent at that time: summer" in doubt for doubt in found.unknown)


def test_a_final_one_teaches_when_the_contacts_came():
    tallies = tuple(tally(number * 15, 10) for number in range(12))
    question = tagged(*tallies, at=FIRST + timedelta(hours=72), is_final=True)
    history = a_history(60.0, FIRST + timedelta(hours=72))
    question = replace(question, queues=(a_queue(history, 48),))
    found, lesson = made(question)
    assert found.state is State.FINAL
    assert sum(lesson.lags.counts) == 120
    assert np.sum(lesson.lags.per_bin) == pytest.approx(12 * 50, rel=0.02)
    assert len(lesson.lifts[0].contacts) == 72 * 12
