"""`holdfire replay` and `holdfire decisions` as people run them, over real weeks of a contact center."""

import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.independent_totals import totals
from tests.support.server import a_server, run_cli
from tests.support.shared import CALLS_CSV, QUEUE_LOG, shared

SUMMARY = {"accepted", "duplicates", "rejected", "first_at", "last_at", "transitions", "queues", "total", "skipped"}
FIRST_DAY, FIRST_WEEK = 4_000, 24_318  # lines of the shared queue_log
FIRST_CALLS = 5_000  # lines of the shared CSV: four days


def replay(*arguments: str) -> Any:
    """Run `holdfire replay … --json` to its end and return what it printed."""
    done = run_cli("replay", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def decisions(data_dir: Path, *arguments: str) -> Any:
    done = run_cli("decisions", "--data-dir", str(data_dir), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["items"]


def same(found, expected):
    assert found["queues"].keys() == expected["queues"].keys()
    for queue, figures in [*expected["queues"].items(), ("", expected["total"])]:
        shown = found["queues"][queue] if queue else found["total"]
        assert shown.keys() == figures.keys()
        for name, value in figures.items():
            assert shown[name] == pytest.approx(value, rel=0, abs=1e-9), (queue, name)


def beginning(whole, lines, path):
    """Put the first lines of a file under a path and return it."""
    with whole.open() as file:
        path.write_text("".join(islice(file, lines)))
    return path


@pytest.fixture(scope="module")
def first_day(tmp_path_factory):
    return beginning(shared(QUEUE_LOG), FIRST_DAY, tmp_path_factory.mktemp("log") / "queue_log")


class Replayed(NamedTuple):
    """The first day, replayed into a folder, and what was printed."""

    folder: Path
    summary: Any

    def copied(self, folder: Path) -> Path:
        """Return a copy of the folder, for a test that adds to it."""
        return shutil.copytree(self.folder, folder)


@pytest.fixture(scope="module")
def replayed(first_day, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replayed")
    return Replayed(folder, replay(str(first_day), "--format", "queue-log", "--data-dir", str(folder)))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_week_of_a_queue_log_comes_out_as_the_file_itself_says(tmp_path):
    log, data = beginning(shared(QUEUE_LOG), FIRST_WEEK, tmp_path / "queue_log"), tmp_path / "data"
    summary = replay(str(log), "--format", "queue-log", "--data-dir", str(data))

    assert summary.keys() == SUMMARY
    assert (summary["rejected"], summary["duplicates"], summary["skipped"]) == (0, 0, {})
    assert summary["first_at"] == "1999-02-01T00:00:00Z"
    same(summary, totals(log))

    listed = decisions(data, "--kind", "transition")
    assert summary["transitions"] == len(listed) > 100
    assert {"send", "hold"} <= {one["state"] for one in listed}
    assert all(one["summary"] for one in listed)
    assert [one["at"] for one in listed] == sorted(one["at"] for one in listed)
    for one in listed:
        assert one["state"] == "send" or one["reasons"], one


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_days_of_calls_in_csv_come_out_as_the_file_itself_says(tmp_path):
    calls = beginning(shared(CALLS_CSV), FIRST_CALLS, tmp_path / "calls.csv")
    summary = replay(str(calls), "--format", "calls-csv", "--data-dir", str(tmp_path / "data"))
    assert (summary["rejected"], summary["duplicates"]) == (0, 0)
    assert summary["skipped"] == {"left_vru": calls.read_text().count("left_vru")}
    same(summary, totals(calls))


def test_two_replays_into_fresh_folders_take_the_same_decisions(tmp_path, first_day, replayed):
    summary = replay(str(first_day), "--format", "queue-log", "--data-dir", str(tmp_path))
    assert summary == replayed.summary
    listed = decisions(tmp_path)
    assert listed == decisions(replayed.folder) != []
    assert decisions(tmp_path, "--gate", "default", "--limit", "3") == listed[-3:]


def test_the_same_file_once_more_changes_nothing(tmp_path, first_day, replayed):
    data = replayed.copied(tmp_path / "data")
    listed = decisions(data, "--kind", "transition")
    again = replay(str(first_day), "--format", "queue-log", "--data-dir", str(data))
    assert (again["accepted"], again["duplicates"], again["transitions"]) == (0, replayed.summary["accepted"], 0)
    same(again, totals(first_day))
    assert decisions(data, "--kind", "transition") == listed


def test_the_api_lists_the_decisions_and_totals_of_a_replay(tmp_path, replayed):
    summary = replayed.summary
    with a_server(replayed.copied(tmp_path / "data")) as server, server.client() as client:
        page = client.get("/api/v1/decisions", params={"kind": "transition", "to": summary["last_at"]}).json()
        span = {"from": "1999-02-01T00:00:00Z", "to": "1999-03-01T00:00:00Z"}
        counted = client.get("/api/v1/contacts/totals", params=span).json()
        asked = run_cli("decisions", "--url", server.url, "--kind", "transition", "--json")
    found = [one for one in json.loads(asked.stdout)["items"] if one["at"] < summary["last_at"]]
    assert len(page["items"]) == len(found) == summary["transitions"]
    assert [one["id"] for one in reversed(found)] == [one["id"] for one in page["items"]]
    assert counted["total"]["offered"] == summary["total"]["offered"]


def test_a_replay_to_a_running_server_arrives_as_if_it_happened_now(tmp_path, first_day):
    path = tmp_path / "rush"
    rows = first_day.read_text().splitlines(keepends=True)
    path.write_text("".join(rows[700:1000]))  # half an hour of a Monday's rush, of which the first calls began before
    with a_server(tmp_path / "data") as server:
        summary = replay(str(path), "--format", "queue-log", "--url", server.url, "--speed", "1800")
        with server.client() as client:
            floor = client.get("/api/v1/floor").json()
    assert summary.keys() == SUMMARY
    assert (summary["duplicates"], summary["rejected"]) == (0, 0)
    expected = totals(path)["total"]
    assert summary["total"]["offered"] == expected["offered"]
    assert "bank" in json.dumps(floor)
    assert summary["transitions"] >= 1


def test_people_see_tables_and_what_was_left_out(tmp_path):
    path = tmp_path / "queue_log"
    path.write_text(
        "917852394|1.1|bank|NONE|ENTERQUEUE||5550100|1\n"
        "917852400|1.1|bank|A19|CONNECT|6|1.2|1\n"
        "917852401|1.1|NONE|NONE|DID|5550100\n"
        "not a line\n"
        "917852500|1.1|bank|A19|COMPLETECALLER|6|100|1\n"
    )
    done = run_cli("replay", str(path), "--format", "queue-log", "--data-dir", str(tmp_path / "data"), COLUMNS="160")
    assert done.returncode == 0, done.stderr
    assert "bank" in done.stdout
    assert "6.0 s" in done.stdout
    assert "100.0 s" in done.stdout
    assert "DID" in done.stdout
    assert "line 4: has 1 fields" in done.stdout
    assert "5550100" not in done.stdout + done.stderr
    listed = run_cli("decisions", "--data-dir", str(tmp_path / "data"), COLUMNS="160")
    assert "send" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["missing", "--format", "queue-log"], 2, "missing cannot be read: No such file or directory"),
        ([".", "--format", "queue-log"], 2, "cannot be read: Is a directory"),
        (["FILE", "--format", "fax"], 2, "fax"),
        (["FILE", "--format", "queue-log"], 1, "has nothing to replay as queue-log: line 1: has 1 fields"),
        (["FILE", "--format", "calls-csv"], 1, "there is no column 'call_no'"),
        (["FILE", "--format", "calls-csv", "--map", "when=x"], 2, "--map 'when=x' is not OURS=THEIRS"),
        (["FILE", "--format", "calls-csv", "--time-zone", "Mars/Base"], 2, "'Mars/Base' is not a time zone"),
        (["FILE", "--format", "queue-log", "--url", "http://127.0.0.1:1", "--data-dir", "x"], 2, "not both"),
        (["FILE", "--format", "observations-ndjson"], 1, "has nothing to replay as observations-ndjson: line 1"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_a_sentence(tmp_path, arguments, code, sentence):
    path = tmp_path / "FILE"
    path.write_text("a,b,c\n1,2,3\n")
    named = [str(path) if argument == "FILE" else argument for argument in arguments]
    done = run_cli("replay", *named, HOLDFIRE_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.split())


def test_an_unreachable_server_is_said_so_at_once(tmp_path):
    path = tmp_path / "queue_log"
    path.write_text("917852394|1.1|bank|NONE|ENTERQUEUE||x|1\n")
    done = run_cli("replay", str(path), "--format", "queue-log", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
