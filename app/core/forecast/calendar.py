"""The clock that a queue's customers live by, and when they are let in: what lays its history out in days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from app.core.forecast.series import BoolArray, IntArray
from app.core.gate.windows import constant_offsets, zone
from app.core.staffing.hours import DAY_MINUTES, OpeningHours

DAY_SECONDS = 60 * DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days by the wall clock of an IANA time zone; as it stands: UTC, always open.

    hours: a queue's opening hours, whose own time zone then holds; None: always open. closed_days: more days on which
    it does not open.
    """

    time_zone: str = "UTC"
    hours: OpeningHours | None = None
    closed_days: frozenset[date] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its days. Raises KeyError, ValueError or OSError for a name that is not there."""
        return zone(self.time_zone if self.hours is None else self.hours.time_zone)

    def open_slots(self, day: date, slots: int) -> BoolArray:
        """Return for each of a day's equal slots whether the queue is open when the slot begins."""
        if day in self.closed_days:
            return np.zeros(slots, dtype=np.bool_)
        if self.hours is None:
            return np.ones(slots, dtype=np.bool_)
        minute = np.arange(slots) * (DAY_MINUTES / slots)
        is_open = np.zeros(slots, dtype=np.bool_)
        for stretch in self.hours.on(day):
            is_open |= (minute >= stretch.opens) & (minute < stretch.closes)
        return is_open

    def places(self, start: datetime, steps: int, step_seconds: int) -> tuple[IntArray, IntArray]:
        """Return for each step from `start` on the ordinal of its local day and its slot in that day.

        Where daylight saving ends an hour's slots come twice; where it begins an hour's slots do not come.
        """
        local = np.concatenate(list(self._local_seconds(start, steps, step_seconds)) or [np.empty(0, dtype=np.int64)])
        days, seconds = np.divmod(local, DAY_SECONDS)
        return days + _EPOCH_ORDINAL, seconds // step_seconds

    def day_of(self, at: datetime) -> date:
        """Return the local day of an instant."""
        return at.astimezone(self.zone).date()

    def _local_seconds(self, start: datetime, steps: int, step_seconds: int) -> Iterator[IntArray]:
        end, done = start + timedelta(seconds=steps * step_seconds), 0
        for _, until, offset in constant_offsets(self.zone, start, end):
            upto = -(-round((until - start).total_seconds()) // step_seconds)
            since_epoch = round((start + offset - _EPOCH).total_seconds())
            yield since_epoch + step_seconds * np.arange(done, upto)
            done = upto


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
