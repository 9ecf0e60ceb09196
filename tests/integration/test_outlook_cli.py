"""`holdfire outlook` as people call it: the program itself, files good and bad."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app.cli import cli

ENTRY = {
    "name": "lunch",
    "lam_per_min": [6.2] * 12,
    "agents": [40] * 6 + [36] * 6,
    "aht_s": 300,
    "patience_s": 180,
    "busy0": 31,
    "wait0": 0,
    "tau_s": 20,
    "horizon_min": 12,
    "svc": "M",
    "note": "what is not known is left alone",
}


@pytest.fixture
def written(tmp_path):
    def write(document):
        path = tmp_path / "scenario.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def run(*arguments):
    return CliRunner().invoke(cli, ["outlook", *map(str, arguments)])


def test_the_program_predicts_a_file_as_a_table_and_loads_no_server(written):
    command = [sys.executable, "-X", "importtime", "-m", "app", "outlook", "--scenario", str(written(ENTRY))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "lunch, service level: offered, within 20 s" in done.stdout
    assert [line.split()[1] for line in done.stdout.splitlines() if "│" in line] == ["0-5", "5-10", "10-12"]
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "app.core.forecast.predict" in imported
    assert not {"fastapi", "sqlalchemy", "uvicorn"} & imported


def test_json_has_a_list_per_measure_and_a_value_per_interval(written):
    done = run("--scenario", written(ENTRY), "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["name"], found["horizon_minutes"], found["service_level_seconds"]) == ("lunch", 12, 20.0)
    assert found["start_minute"] == [0, 5, 10]
    assert found["agents"] == [40, 40, 36]
    assert found["offered"] == pytest.approx([31, 31, 12.4])
    answered_or_gone = zip(found["answered"], found["abandoned"], strict=True)
    assert [sum(pair) for pair in answered_or_gone] == pytest.approx(found["offered"], abs=1e-5)
    assert all(0.5 < level < 1 for level in found["service_level_ratio"])
    assert found["notes"] == []


def test_a_list_of_scenarios_is_predicted_one_by_one(written):
    done = run("--scenario", written([ENTRY, ENTRY | {"name": "dinner", "tau_s": 60}]), "--json")
    lunch, dinner = json.loads(done.stdout)
    assert [lunch["name"], dinner["name"]] == ["lunch", "dinner"]
    assert dinner["service_level_ratio"] > lunch["service_level_ratio"]
    assert dinner["backlog"] == lunch["backlog"]


def test_the_variant_of_the_service_level_can_be_chosen(written):
    levels = [
        json.loads(run("--scenario", written(ENTRY), "--variant", name, "--json").stdout)["service_level_ratio"][0]
        for name in ("offered", "answered", "positive")
    ]
    assert levels[0] < levels[1]
    assert levels[0] < levels[2]


def test_what_is_not_known_is_null_and_a_dash_and_is_said_in_words(written):
    path = written(ENTRY | {"agents": 0, "busy0": 0, "patience_s": None})
    found = json.loads(run("--scenario", path, "--json").stdout)
    assert found["service_level_ratio"] == found["speed_to_answer_seconds"] == found["wait_seconds"] == [None] * 3
    table = run("--scenario", path).stdout
    assert "no agents: who arrives" in table
    assert "the queue never recovers within the horizon" in table
    assert table.count(" - ") >= 6


def test_what_may_be_left_out_has_its_default(written):
    least = {name: ENTRY[name] for name in ("lam_per_min", "agents", "aht_s", "patience_s")}
    full = ENTRY | {"wait0": 0, "tau_s": 20, "busy0": 31, "horizon_min": 12}
    left_out, given = (json.loads(run("--scenario", written(one), "--json").stdout) for one in (least, full))
    assert left_out["name"] == ""
    assert left_out["backlog"] == given["backlog"]


def test_one_number_stands_for_all_minutes_and_a_shorter_horizon_ends_early(written):
    numbers = ENTRY | {"lam_per_min": 6.2, "agents": 40, "horizon_min": 10}
    lists = ENTRY | {"lam_per_min": [6.2] * 12, "agents": [40] * 30, "horizon_min": 10}
    first, second = (json.loads(run("--scenario", written(one), "--json").stdout) for one in (numbers, lists))
    assert first == second
    assert first["start_minute"] == [0, 5]


def test_chat_agents_are_counted_by_the_contacts_that_they_handle_at_a_time(written):
    chats = ENTRY | {"agents": 20, "concurrency": 2}
    assert json.loads(run("--scenario", written(chats), "--json").stdout)["agents"] == [40, 40, 40]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"aht_s": 0}, "/aht_s: 0 must be a number from 0.001 to 604800 s: a handle time must be > 0"),
        ({"aht_s": None}, "/aht_s: null must be a number"),
        ({"aht_s": float("nan")}, "/aht_s: NaN must be a number"),
        ({"patience_s": 0}, "/patience_s: 0 must be a number from 0.001 to 604800 s, or null: nobody gives up"),
        ({"lam_per_min": [6.2] * 3 + [-1] + [6.2] * 8}, "/lam_per_min/3: -1 must be a number from 0"),
        ({"lam_per_min": [6.2] * 3 + [float("nan")] + [6.2] * 8}, "/lam_per_min/3: NaN must be a number from 0"),
        ({"lam_per_min": "6.2"}, '/lam_per_min: "6.2" must be a number'),
        ({"lam_per_min": [True] * 12}, "/lam_per_min/0: true must be a number"),
        ({"agents": [40.5] * 12}, "/agents/0: 40.5 in minute 0 must be a whole number of agents"),
        ({"agents": [10**6] * 12}, "/agents/0: 1000000 must be a number from 0 to 10000"),
        ({"agents": []}, "/agents: [] must have a value for each minute"),
        ({"agents": 9_000, "concurrency": 2}, "/agents/0: 18000 in minute 0 must be 0 to 10000 agents"),
        ({"horizon_min": 0}, "/horizon_min: 0 must be a whole number from 1"),
        ({"horizon_min": 13}, "/horizon_min: 13 minutes are more than the 12 values that are given"),
        ({"busy0": -1}, "/busy0: -1 must be a whole number from 0"),
        ({"wait0": 1.5}, "/wait0: 1.5 must be a whole number from 0"),
        ({"tau_s": -1}, "/tau_s: -1 must be a number from 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_is_allowed(written, change, said):
    done = run("--scenario", written(ENTRY | change))
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("member", ["lam_per_min", "agents", "aht_s", "patience_s"])
def test_what_must_be_there_is_asked_for(written, member):
    done = run("--scenario", written({name: value for name, value in ENTRY.items() if name != member}))
    assert done.exit_code == 1
    assert f"/{member}: is missing; give" in done.stderr


def test_lists_of_different_lengths_are_refused_unless_the_horizon_says_which_part_counts(written):
    unequal = {name: value for name, value in (ENTRY | {"agents": [40] * 11}).items() if name != "horizon_min"}
    done = run("--scenario", written(unequal))
    assert done.exit_code == 1
    assert "/agents: has 11 values and lam_per_min 12; give as many" in done.stderr
    assert run("--scenario", written(unequal | {"horizon_min": 11})).exit_code == 0


def test_a_fault_in_a_list_says_in_which_scenario(written):
    done = run("--scenario", written([ENTRY, ENTRY | {"aht_s": 0, "busy0": -1}]))
    assert done.exit_code == 1
    assert "/1/aht_s: 0 must be" in done.stderr
    assert "/1/busy0: -1 must be" in done.stderr


@pytest.mark.parametrize("document", ["{", "[" * 100_000, "\udc80"])
def test_what_is_no_json_is_wrong_usage(tmp_path, document):
    path = tmp_path / "scenario.json"
    path.write_bytes(document.encode(errors="surrogateescape"))
    done = run("--scenario", path)
    assert done.exit_code == 2
    assert "cannot be read as JSON" in done.stderr


def test_other_wrong_usage_ends_with_2(written, tmp_path):
    assert run().exit_code == 2
    missing = run("--scenario", tmp_path / "none.json")
    assert (missing.exit_code, "No such file" in missing.stderr) == (2, True)
    assert run("--scenario", tmp_path).exit_code == 2
    variant = run("--scenario", written(ENTRY), "--variant", "best")
    assert (variant.exit_code, "--variant=best must be one of offered" in variant.stderr) == (2, True)


@pytest.mark.parametrize("document", [[], "[3]", "3", "null"])
def test_what_is_no_scenario_is_refused(written, document):
    done = run("--scenario", written(document))
    assert done.exit_code == 1
    assert "must be a JSON object" in done.stderr or "empty list" in done.stderr
