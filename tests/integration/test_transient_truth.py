"""The prediction against 16 simulated queues, 4,000 days each, and against 4 that break its assumptions."""

import csv
import json

import pytest

from tests.support.shared import shared
from tests.support.transient import compare, main

FILES = ("truth/transient_scenarios.json", "truth/transient_truth.csv")


@pytest.fixture(scope="module")
def scenarios():
    return json.loads(shared(FILES[0]).read_text())


@pytest.fixture(scope="module")
def truth():
    with shared(FILES[1]).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows(scenarios, truth):
    return compare(scenarios, truth)


def test_every_interval_of_every_markov_scenario_is_inside(rows):
    claimed = [row for row in rows if row.claimed]
    assert len(claimed) == 16 * 48
    assert all(len(row.found) == 3 or row.scenario == "S11_near_close" for row in claimed)
    assert [(row.scenario, row.interval) for row in claimed if row.is_outside] == []


def test_intervals_in_which_the_staffing_changes_are_inside_too(rows):
    changing = [row for row in rows if row.changes]
    assert {row.scenario for row in changing} == {"S05_lunch_drop", "S06_staff_up", "S11_near_close", "S16_outage"}
    levels = [abs(one.error) for row in changing for one in row.found if one.measure.name == "service level"]
    assert max(levels) < 0.008


def test_lognormal_service_and_patience_cost_what_the_explanation_says(rows):
    worst: dict[tuple[str, str], float] = {}
    for row in rows:
        for one in row.found if not row.claimed else ():
            key = (row.scenario, one.measure.name)
            worst[key] = max(worst.get(key, 0.0), abs(one.error))
    assert worst["R03_LNservice", "speed to answer"] < 2
    assert worst["R08_LNservice", "service level"] < 0.035
    assert worst["R03_LNpatience", "speed to answer"] < 5
    assert worst["R03_LNpatience", "service level"] < 0.06


def test_a_truth_that_the_prediction_misses_is_outside_and_ends_with_1(scenarios, truth, tmp_path, capsys):
    wrong = [row | {"scenario": "mine", "q_avg": str(float(row["q_avg"]) + 1)} for row in truth[:48]]
    (tmp_path / "scenarios.json").write_text(json.dumps([scenarios[0] | {"name": "mine"}]))
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(truth[0]))
        writer.writeheader()
        writer.writerows(wrong)
    assert main([str(tmp_path / "scenarios.json"), str(tmp_path / "truth.csv")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "48 rows, 48 outside"
    assert main([str(shared(FILES[0])), str(tmp_path / "truth.csv")]) == 2
    assert "'mine'" in capsys.readouterr().out


def test_an_interval_beyond_the_horizon_was_not_predicted_and_is_outside(scenarios, truth):
    first = [entry for entry in scenarios if entry["name"] == truth[0]["scenario"]]
    rows = compare(first[0], [truth[0], truth[0] | {"interval": "48"}, truth[0] | {"interval": "-1"}])
    assert [row.is_outside for row in rows] == [False, True, True]


@pytest.mark.parametrize("content", ["null", "3", "[3]", "{", '{"name": "other"}', '[{"lam_per_min": 3}]'])
def test_what_are_no_scenarios_cannot_be_compared(tmp_path, capsys, content):
    (tmp_path / "scenarios.json").write_text(content)
    assert main([str(tmp_path / "scenarios.json"), str(shared(FILES[1]))]) == 2
    assert "cannot be compared" in capsys.readouterr().out


def test_the_tool_says_how_many_rows_are_outside(capsys):
    assert main([str(shared(name)) for name in FILES]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "768 rows, 0 outside"
    assert main([]) == 2
