"""The account of a simulated day, on contacts written down by hand."""

from datetime import timedelta

import pytest

from app.core.floor.contact import ContactEvent, ContactEventKind
from app.core.floor.targets import QueueTargets
from app.core.simulation.daybook import DayBook, Wave
from app.core.simulation.twins import Day
from tests.support.simulated import START, a_queue, a_simulation, at, stays

K = ContactEventKind


def event(contact, kind, seconds, queue="orders"):
    return ContactEvent(contact, queue, kind, at(seconds), "acd", "voice", None, None)


def a_book(*events, until, targets=None):
    book = DayBook(START, targets or {})
    book.take(events, at(until))
    return book


def answered(contact, queued, wait, **more):
    return [event(contact, K.QUEUED, queued, **more), event(contact, K.ANSWERED, queued + wait, **more)]


def gave_up(contact, queued, wait, **more):
    return [event(contact, K.QUEUED, queued, **more), event(contact, K.ABANDONED, queued + wait, **more)]


def test_five_minutes_say_what_became_of_customers_in_them():
    happened = [*answered("a", 10, 5), *answered("b", 20, 95), *gave_up("c", 30, 60)]
    (first,) = a_book(*happened, until=300).series(["orders"])
    assert first.until == at(300)
    assert (first.answered, first.abandoned, first.speed_to_answer_seconds) == (2, 1, 50)
    assert first.service_level_ratio == pytest.approx(1 / 3)


def test_a_wait_counts_when_it_ends_and_a_service_level_when_it_began():
    first, second = a_book(*answered("a", 290, 30), *gave_up("b", 280, 40), until=600).series(["orders"])
    assert (first.answered, first.abandoned, first.speed_to_answer_seconds) == (0, 0, None)
    assert (second.answered, second.abandoned, second.speed_to_answer_seconds) == (1, 1, 30)
    assert (first.service_level_ratio, second.service_level_ratio) == (0, None)


def test_five_minutes_without_customers_have_no_averages():
    first, second = a_book(until=600).series(["orders"])
    assert (first.speed_to_answer_seconds, first.service_level_ratio, first.answered) == (None, None, 0)
    assert second.until == at(600)


def test_only_whole_five_minutes_are_told():
    book = a_book(*answered("a", 10, 5), until=299)
    assert book.series(["orders"]) == ()
    book.take([], at(650))
    assert [each.answered for each in book.series(["orders"])] == [1, 0]


def test_queues_are_told_apart_and_together_by_contacts_not_by_averages():
    happened = [*answered("a", 10, 100), *answered("b", 10, 10, queue="chat"), *answered("c", 20, 10, queue="chat")]
    book = a_book(*happened, until=300)
    waits = [book.series(queues)[0].speed_to_answer_seconds for queues in (["orders"], ["chat"], ["orders", "chat"])]
    assert waits == [100, 10, 40]


def test_a_queues_own_target_is_what_its_service_level_is_judged_by():
    happened = answered("a", 10, 45)
    patient = {"orders": QueueTargets(service_level_seconds=60)}
    assert a_book(*happened, until=300).series(["orders"])[0].service_level_ratio == 0
    assert a_book(*happened, until=300, targets=patient).series(["orders"])[0].service_level_ratio == 1


def test_what_comes_late_is_booked_where_it_belongs():
    book = a_book(event("a", K.QUEUED, 10), until=300)
    book.take([event("a", K.ANSWERED, 250)], at(600))
    assert [each.speed_to_answer_seconds for each in book.series(["orders"])] == [240, None]


def test_the_account_of_a_simulated_day_agrees_with_its_contacts_one_by_one():
    simulation = a_simulation(a_queue(per_hour=150, agents=6, patience_seconds=100), observe=15)
    book, happened = DayBook(START, {}), []
    for minute in range(1, 241):
        step = simulation.advance(at(60 * minute))
        book.take(step, at(60 * minute))
        happened += step
    series, day = book.series(["orders"]), stays(happened)
    ended = [stay for stay in day if stay.answered is not None]
    assert sum(each.answered for each in series) == len(ended)
    assert sum(each.abandoned for each in series) == sum(stay.abandoned is not None for stay in day) > 20
    waited = sum((each.speed_to_answer_seconds or 0) * each.answered for each in series)
    assert waited == pytest.approx(sum(stay.wait for stay in ended), abs=0.1)


def test_emails_that_leave_without_a_longer_pause_are_one_wave():
    book = DayBook(START, {})
    for seconds in (600, 630, 700, 1200, 1210):
        book.mailed(100, at(seconds))
    assert book.waves == (Wave(at(600), at(700), 300), Wave(at(1200), at(1210), 200))


# --- one of two days --------------------------------------------------------------------------------------------------


def a_day(*events, until):
    book = a_book(*events, until=until)
    return Day(book.series(["orders"]), book.series(["orders", "chat"]), book.waves)


def test_a_days_peak_and_loss_are_those_since_an_instant():
    early, late = answered("a", 10, 200), answered("b", 400, 90)
    day = a_day(*early, *late, *gave_up("c", 20, 10), *gave_up("d", 500, 10, queue="chat"), until=900)
    before, since = day.peak(START), day.peak(START + timedelta(seconds=300))
    assert before is not None
    assert since is not None
    assert (before.speed_to_answer_seconds, since.speed_to_answer_seconds, since.until) == (200, 90, at(600))
    assert (day.gave_up(START), day.gave_up(at(300))) == (2, 1)


def test_a_day_on_which_nobody_was_answered_has_no_peak():
    assert a_day(*gave_up("a", 10, 50), until=600).peak(START) is None
