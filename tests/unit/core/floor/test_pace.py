from app.core.floor.pace import Pace
from tests.support.builders import NOW, after


def test_the_rate_is_that_of_the_last_five_minutes():
    pace = Pace()
    assert pace.per_minute(NOW) == 0
    for second in range(0, 600, 5):
        pace.add(2, after(second), after(second))
    assert pace.per_minute(after(599)) == 24
    assert pace.per_minute(after(599 + 150)) == 12
    assert pace.per_minute(after(599 + 400)) == 0


def test_the_lag_is_the_usual_one_and_one_straggler_does_not_change_it():
    pace = Pace()
    assert (pace.lag_seconds, pace.clock_ahead_seconds) == (None, None)
    for number in range(9):
        pace.add(1, after(number), after(number + 3))
    pace.add(1, after(-86_400), after(10))
    assert pace.lag_seconds == 3
    assert pace.clock_ahead_seconds is None


def test_who_speaks_of_what_has_not_been_yet_has_a_clock_that_is_ahead():
    pace = Pace()
    pace.add(1, after(0.5), NOW)
    assert pace.clock_ahead_seconds is None
    pace.add(1, after(42), after(2))
    pace.add(1, after(43), after(20))
    assert pace.clock_ahead_seconds == 40
