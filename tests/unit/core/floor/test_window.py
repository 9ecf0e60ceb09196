import pytest

from app.core.floor.counts import NOTHING, counts
from app.core.floor.window import Windows

ONE = counts(offered=1)


@pytest.mark.parametrize(("second", "total"), [(39, NOTHING), (40, NOTHING), (41, ONE), (100, ONE), (101, NOTHING)])
@pytest.mark.parametrize("when", ["before", "late"])
def test_a_window_is_open_at_its_old_edge_and_closed_at_its_new_one(second, total, when):
    windows = Windows(600)
    if when == "before":
        windows.add(second, ONE)
    windows.advance(100)
    windows.total(60)
    if when == "late":
        windows.add(second, ONE)
    assert windows.total(60) == total


def test_forgotten_seconds_take_nothing_in_and_hold_no_memory():
    windows = Windows(60)
    windows.add(40, ONE)
    windows.add(41, ONE)
    windows.advance(100)
    windows.add(39, ONE)
    assert windows._buckets == {41: ONE}


def test_only_so_many_lengths_are_kept_moving():
    windows = Windows(60)
    windows.add(100, ONE)
    windows.advance(100)
    assert [windows.total(length) for length in range(1, 101)] == [ONE] * 100
    assert len(windows._totals) == 16
    windows.advance(101)
    assert windows.total(1) == NOTHING


def test_moving_back_changes_nothing():
    windows = Windows(60)
    windows.add(90, ONE)
    windows.advance(100)
    assert not windows.advance(80)
    assert windows.total(60) == ONE
