from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.web.now.sparkline import HEIGHT, WIDTH, sparkline

START = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
UNTIL = START + timedelta(minutes=30)


def minutes(*values: float | None) -> list[tuple[datetime, float | None]]:
    return [(START + timedelta(minutes=index), value) for index, value in enumerate(values)]


def test_no_data_draws_nothing_and_says_so():
    drawn = sparkline(minutes(None, None), START, UNTIL, limit=10)
    assert (drawn.line, drawn.area, drawn.points, drawn.last_x, drawn.low) == ("", "", 0, None, None)
    assert drawn.limit_y is not None


def test_a_gap_in_the_data_is_a_gap_in_the_line():
    assert sparkline(minutes(1, 2, 3, 4), START, UNTIL).line.count("M") == 1
    assert sparkline(minutes(1, 2, None, None, 3, 4), START, UNTIL).line.count("M") == 2


def test_the_limit_lies_inside_the_box_even_far_above_the_values():
    drawn = sparkline(minutes(1, 2), START, UNTIL, limit=500)
    assert drawn.limit_y is not None
    assert 0 < drawn.limit_y < HEIGHT / 2


def test_a_higher_value_is_drawn_higher_and_time_runs_to_the_right():
    drawn = sparkline([(START, 0.0), (UNTIL, 8.0)], START, UNTIL, step_seconds=1800)
    assert drawn.line == f"M0.0 {HEIGHT - 3:.1f}L{WIDTH:.1f} {drawn.last_y}"
    assert (drawn.low, drawn.high, drawn.last_x) == (0.0, 8.0, WIDTH)


def test_values_outside_the_span_are_left_out():
    late = (UNTIL + timedelta(minutes=1), 99.0)
    assert sparkline([*minutes(1, 2), late], START, UNTIL).high == 2


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=30), st.one_of(st.none(), st.floats(0, 1e9)))
def test_every_point_stays_inside_the_box(values, limit):
    drawn = sparkline(minutes(*values), START, UNTIL, limit=limit)
    numbers = [float(word) for word in drawn.line.replace("M", " ").replace("L", " ").split()]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])
