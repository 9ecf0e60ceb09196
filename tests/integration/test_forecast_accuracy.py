"""The accuracy of the arrivals forecast on real counts, as published: rolling origins, 30-minute WAPE."""

import csv
from datetime import datetime, timedelta

import pytest

from tests.support.forecast_check import check, load, main
from tests.support.shared import shared

BANK, SMALL_BANK = "data/bank_calls_5min_2003.csv", "data/anonbank_6min_1999.csv"


@pytest.mark.parametrize(
    ("name", "forecasts", "most"), [(BANK, 460, (0.036, 0.041, 0.046)), (SMALL_BANK, 920, (0.137, 0.149, 0.162))]
)
def test_forecasts_are_as_close_as_published_at_every_distance(name, forecasts, most):
    found = check(load(shared(name)))
    assert found.forecasts == forecasts
    assert all(row.wape <= limit for row, limit in zip(found.rows, most, strict=True)), found.rows
    assert tuple(row.most for row in found.rows) == most


def test_the_check_prints_a_row_per_band_and_counts_those_outside(capsys):
    assert main([str(shared(BANK))]) == 0
    *rows, last = capsys.readouterr().out.splitlines()[1:]
    assert len(rows) == 3
    assert last == "3 rows, 0 outside"


def test_other_years_and_shorter_files_are_checked_too(tmp_path):
    rows = _rows(shared(BANK))
    moved = _written(tmp_path / "moved.csv", [(at + timedelta(days=728), calls) for at, calls in rows])
    assert check(load(moved)).rows == check(load(shared(BANK))).rows
    half = check(load(_written(tmp_path / "half.csv", rows[: len(rows) // 2])))
    assert half.kind is None
    assert not any(row.is_outside for row in half.rows)


@pytest.mark.parametrize("minutes", [15, 30])
def test_longer_steps_cost_little(tmp_path, minutes):
    sums: dict[datetime, float] = {}
    for at, calls in _rows(shared(BANK)):
        step = at.replace(minute=at.minute // minutes * minutes)
        sums[step] = sums.get(step, 0.0) + float(calls)
    found = check(load(_written(tmp_path / "longer.csv", sums.items())))
    assert all(row.wape <= most for row, most in zip(found.rows, (0.037, 0.042, 0.048), strict=True)), found.rows


def test_steps_that_are_not_known_take_part_in_nothing(tmp_path):
    rows = [(at, "" if number % 97 == 0 else calls) for number, (at, calls) in enumerate(_rows(shared(BANK)))]
    found = check(load(_written(tmp_path / "holes.csv", rows[: len(rows) // 2])))
    assert found.kind is None
    assert all(0 < row.wape < row.naive < 0.2 for row in found.rows), found.rows


def test_a_file_with_its_days_shuffled_is_found_outside(tmp_path, capsys):
    rows = _rows(shared(BANK))
    backwards = [(at, calls) for (at, _), (_, calls) in zip(rows, reversed(rows), strict=True)]
    assert main([str(_written(tmp_path / "backwards.csv", backwards))]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "3 rows, 3 outside"


FIRST = "interval_start,calls\n2003-03-03 07:00:00,1\n"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a,b\n1,2\n",
        FIRST,
        FIRST + "2003-03-03 07:05:00,-3\n",
        FIRST + "2003-03-03 07:05:00,inf\n",
        FIRST + "2003-03-03 07:05:00,many\n",
        "calls,interval_start\n1,2003-03-03 07:00:00\n2\n",
        FIRST.replace(",1", ",0") + "2003-03-03 07:05:00,0\n",
        "interval_start,calls\n,1\n2003-03-03 07:05:00,2\n",
    ],
)
def test_what_is_no_file_of_counts_cannot_be_checked(tmp_path, capsys, content):
    (tmp_path / "file.csv").write_text(content)
    assert main([str(tmp_path / "file.csv")]) == 2
    assert "cannot be checked" in capsys.readouterr().out


def _rows(path):
    with path.open(newline="") as file:
        return [(datetime.fromisoformat(row["interval_start"]), row["calls"]) for row in csv.DictReader(file)]


def _written(path, rows):
    path.write_text("interval_start,calls\n" + "".join(f"{at},{calls}\n" for at, calls in rows))
    return path
