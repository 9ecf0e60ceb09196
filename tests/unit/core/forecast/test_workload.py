"""The work of queues hour by hour: contacts that come anyway and that campaigns bring, beside who is there."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from app.core.forecast.calendar import Calendar
from app.core.forecast.days import Days
from app.core.forecast.kernel import log_logistic_kernel
from app.core.forecast.usual import Usuals
from app.core.forecast.workload import (
    Coming,
    Fit,
    QueueAhead,
    QueueHours,
    Source,
    Window,
    contacts_ahead,
    mean_per_hour,
    per_hour,
)

KERNEL = log_logistic_kernel()
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
PER_SLOT = 5.0


def usuals(days: int = 70) -> Usuals:
    """Return a history in which five contacts came in every five minutes, up to now."""
    contacts = np.full((days + 1, 288), PER_SLOT)
    contacts[-1, 9 * 12 + 6 :] = np.nan
    return Usuals(Days(TODAY - timedelta(days=days), 300, contacts), Calendar())


def window(hours: int = 24, start: datetime = MIDNIGHT) -> Window:
    return Window(start, NOW, np.arange(hours + 1, dtype=np.int64) * 60)


def ahead(looked: Window, *sends: tuple[int, float], is_open: object = True, days: int = 70) -> QueueAhead:
    opening = np.full(looked.minutes, is_open, dtype=np.bool_)
    return QueueAhead("orders", usuals(days), None, opening, sends)


def test_hours_that_are_over_have_no_forecast_and_the_present_one_counts_as_whole():
    (coming,) = contacts_ahead([ahead(window())], window(), KERNEL)
    assert np.isnan(coming.anyway[:9]).all()
    assert coming.anyway[9:] == pytest.approx(60.0, rel=0.01)
    assert "median" in coming.basis


def test_beyond_seven_days_what_is_usual_is_taken():
    looked = window(24 * 21)
    (coming,) = contacts_ahead([ahead(looked)], looked, KERNEL)
    assert coming.anyway[24 * 20 :] == pytest.approx(60.0, rel=0.01)
    far = window(24 * 7, MIDNIGHT + timedelta(days=21))
    (coming,) = contacts_ahead([ahead(far)], far, KERNEL)
    assert coming.anyway == pytest.approx(60.0, rel=0.01)


def test_what_is_not_known_is_not_zero():
    looked = window(24 * 14)
    (coming,) = contacts_ahead([ahead(looked, days=0)], looked, KERNEL)
    assert np.isnan(coming.anyway[24 * 8 :]).all()


def test_a_send_brings_its_contacts_as_people_answer_and_none_before():
    looked = window(72)
    (coming,) = contacts_ahead([ahead(looked, (12 * 60, 1000.0))], looked, KERNEL)
    assert coming.caused[9:12].sum() == 0
    assert coming.caused[12] == pytest.approx(1000 * KERNEL.share_within(60))
    assert np.nansum(coming.caused) == pytest.approx(1000 * KERNEL.share_within(60 * 60))


def test_who_writes_to_a_closed_queue_comes_back_when_it_opens_or_never():
    looked = window(48)
    opening = np.zeros(looked.minutes, dtype=np.bool_)
    opening[32 * 60 :] = True
    queue = QueueAhead("orders", usuals(), None, opening, ((20 * 60, 1000.0),))
    (coming,) = contacts_ahead([queue], looked, KERNEL)
    assert np.nansum(coming.caused[:32]) == 0
    assert coming.caused[32] > 300
    assert np.nansum(coming.anyway[:32]) == 0


def a_queue(anyway: list[float], agents: list[float], **changes: Any) -> QueueHours:
    count = len(anyway)
    given: dict[str, Any] = {
        "is_open": np.ones(count, dtype=np.bool_),
        "is_gone": np.zeros(count, dtype=np.bool_),
        "handle_seconds": 360.0,
    } | changes
    coming = Coming(np.array(anyway), np.zeros(count), "")
    return QueueHours(
        "orders", coming, np.array(agents), (Source.USUAL,) * count, hours=np.ones(count), concurrency=1.0, **given
    )


def test_an_hour_is_over_capacity_where_it_takes_more_agents_than_there_are():
    queue = a_queue([100, 95, 89, 105, np.nan, 10], [10, 10, 10, 10, 10, np.nan])
    assert queue.work[:4] == pytest.approx([10, 9.5, 8.9, 10.5])
    assert queue.fits() == (Fit.FULL, Fit.FULL, Fit.FITS, Fit.OVER, Fit.UNKNOWN, Fit.UNKNOWN)


def test_closed_hours_and_hours_that_are_over_are_said_to_be():
    closed, gone = np.array([False, True, True]), np.array([False, True, False])
    assert a_queue([0, 500, 10], [0, 1, 10], is_open=closed, is_gone=gone).fits() == (Fit.CLOSED, Fit.GONE, Fit.FITS)


def test_without_a_handle_time_nothing_can_be_said():
    assert a_queue([10], [10], handle_seconds=None).fits() == (Fit.UNKNOWN,)


def test_means_of_an_hour_leave_out_what_is_over_and_do_not_hide_what_is_missing():
    looked = window(12)
    values = np.ones(looked.minutes)
    values[: 9 * 60 + 30] = 7.0
    values[10 * 60] = np.nan
    assert mean_per_hour(values, looked)[9:] == pytest.approx([1.0, np.nan, 1.0], nan_ok=True)
    assert np.isnan(mean_per_hour(values, looked)[:9]).all()
    assert per_hour(values, looked)[9] == pytest.approx(60.0)
