"""History laid out as people see it: a row for each local day, a column for each time of day."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from app.core.forecast.calendar import DAY_SECONDS, Calendar
from app.core.forecast.series import FloatArray, Series


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Contacts that came in: shape (days, slots), contacts per slot of slot_seconds, NaN where that is not known.

    The first row is first_day, the next one the day after it, and so on without gaps. Slots are of the wall clock: one
    that came twice, as daylight saving ended, holds the mean of both; one that never came is not known.
    """

    first_day: date
    slot_seconds: int
    contacts: FloatArray

    @property
    def slots(self) -> int:
        """How many slots a day has."""
        return DAY_SECONDS // self.slot_seconds

    def row(self, ordinal: int) -> FloatArray:
        """Return a day by its ordinal, shape (slots,): all NaN outside of what is there."""
        place = ordinal - self.first_day.toordinal()
        if 0 <= place < len(self.contacts):
            row: FloatArray = self.contacts[place]
            return row
        return np.full(self.slots, np.nan)

    def followed_by(self, later: "Days") -> "Days":
        """Return these days with later ones; where both have a day, the later table's is taken."""
        first, gap = self.first_day.toordinal(), later.first_day.toordinal() - self.first_day.toordinal()
        kept = [self.row(first + place) for place in range(max(0, gap))]
        return replace(
            later, first_day=min(self.first_day, later.first_day), contacts=np.vstack([*kept, later.contacts])
        )


def by_local_day(came_in: Series, calendar: Calendar, lift: FloatArray | None = None) -> Days:
    """Return a series of contacts per step as days of the calendar's time zone.

    The step divides a day; the series may begin at any step. lift: contacts in each step that past campaigns are
    estimated to have brought; they are taken out, though never more than there were, and one that is NaN makes the
    step unknown. Raises ValueError for a step that does not divide a day, or a lift of another length.
    """
    slot_seconds = round(came_in.step_seconds)
    if slot_seconds <= 0 or DAY_SECONDS % slot_seconds:
        raise ValueError(f"steps of {came_in.step_seconds:g} s do not divide a day; use 300 s")
    values = came_in.values
    if lift is not None:
        if len(lift) != len(values):
            raise ValueError(
                f"lift has {len(lift)} steps where the series has {len(values)}; it needs one value for each"
            )
        values = np.maximum(values - lift, 0.0)
    days, slots = calendar.places(came_in.start, len(values), slot_seconds)
    first, last = (int(days[0]), int(days[-1])) if len(days) else (came_in.start.toordinal(),) * 2
    return Days(
        date.fromordinal(first), slot_seconds, _table(values, days - first, slots, last - first + 1, slot_seconds)
    )


def _table(values: FloatArray, rows: np.ndarray, slots: np.ndarray, days: int, slot_seconds: int) -> FloatArray:
    """Return the mean of the known values of each cell, NaN where there is none."""
    width = DAY_SECONDS // slot_seconds
    known = ~np.isnan(values)
    cells = (rows * width + slots)[known]
    counts = np.bincount(cells, minlength=days * width)
    sums = np.bincount(cells, weights=values[known], minlength=days * width)
    table = np.full(days * width, np.nan)
    np.divide(sums, counts, out=table, where=counts > 0)
    return table.reshape(days, width)
