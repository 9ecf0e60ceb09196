"""Real Airflow runs the DAG that is to be copied: one mail where it may go, none where it may not."""

import json
import os
import subprocess
import time
from itertools import pairwise

import pytest

from tests.recipes.answering import ONCE, RECIPES, Case, cases, hasty
from tests.support.answers import GARBAGE, HOLD, SEND, UNKNOWN, Reaction, a_scripted
from tests.support.server import REPOSITORY
from tests.support.smtp_sink import an_smtp_sink

DAG = RECIPES / "airflow" / "holdfire_gate.py"
BIN = REPOSITORY / ".recipes_cache" / "airflow" / "bin"
KEY = "hf_test_ab12cd34_canary"
RUN_SECONDS = 900
ASKS = 200
NO_CHECK = ("response_check=may_go,", "")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An AIRFLOW_HOME with a database in it, and what its programs are told."""
    folder = tmp_path_factory.mktemp("airflow")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = kept | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "NO_PROXY": "*",
    }
    (folder / "dags").mkdir()
    subprocess.run([BIN / "airflow", "db", "migrate"], env=environment, check=True, capture_output=True, timeout=300)
    return folder, environment


def connection(**members):
    return json.dumps(members)


def variant(home, case, *changes):
    """Write the DAG for one case: its own id and connection, less patience, and what else is changed in it."""
    folder, environment = home
    name = f"dag_{case.recipient.partition('@')[0].replace('-', '_')}_{len(changes)}"
    environment[f"AIRFLOW_CONN_{name.upper()}"] = connection(conn_type="http", host=case.url, password=KEY)
    text = hasty(
        DAG.read_text(encoding="utf-8"),
        ('dag_id="holdfire_gate"', f'dag_id="{name}"'),
        ('http_conn_id="holdfire"', f'http_conn_id="{name}"'),
        ("conn.holdfire.password", f"conn.{name}.password"),
        ("everybody@lists.example.com", case.recipient),
        ('"timeout": 10', '"timeout": 1'),
        ("poke_interval=60", "poke_interval=0.5"),
        ("timeout=3 * 3600", "timeout=4"),
        ("retries=5", "retries=1"),
        ("timedelta(minutes=1)", "timedelta(seconds=1)"),
        *changes,
    )
    path = folder / "dags" / f"{name}.py"
    path.write_text(text)
    return path


def run(home, sink, paths):
    """Run DAGs one after the other; return to whom mail went, in order, and how each run ended."""
    folder, environment = home
    environment["AIRFLOW_CONN_SMTP_DEFAULT"] = connection(
        conn_type="smtp", host="127.0.0.1", port=sink.port, extra={"disable_tls": True, "disable_ssl": True}
    )
    program = [BIN / "python", REPOSITORY / "tests" / "recipes" / "run_dags.py", *paths]
    with (folder / "log").open("w") as log:
        ran = subprocess.Popen(program, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        out, _ = ran.communicate(timeout=RUN_SECONDS)
    assert ran.returncode == 0, (folder / "log").read_text()[-5000:]
    ended = [line.split() for line in out.splitlines() if line.startswith("ended ")]
    sent = sorted(to for each in sink.received for to in each.recipients)
    return sent, {name.rpartition("/")[2]: state for _, name, state in ended}


@pytest.mark.timeout(RUN_SECONDS)
def test_one_mail_where_it_may_go_and_none_on_anything_else(home):
    with an_smtp_sink() as sink, cases(patient=False) as run_cases:
        sent, ended = run(home, sink, [variant(home, case) for case in run_cases])
        assert [case.name for case in run_cases if case.server and not case.asked] == []
    assert sent == sorted(case.recipient for case in run_cases if case.name in ONCE)
    assert sorted(set(ended.values())) == ["failed", "success"]
    assert len(ended) == len(run_cases)


@pytest.mark.timeout(RUN_SECONDS)
def test_without_its_response_check_it_sends_on_what_is_no_go(home):
    """Why the DAG has one: the sensor takes every status below 400."""
    with an_smtp_sink() as sink, cases(patient=False) as run_cases:
        trusted = [case for case in run_cases if case.name in GARBAGE]
        sent, _ = run(home, sink, [variant(home, case, NO_CHECK) for case in trusted])
    assert sent == sorted(case.recipient for case in trusted)


@pytest.mark.timeout(RUN_SECONDS)
def test_deferred_it_has_no_check_and_no_pause(home):
    """Why the DAG is not deferrable: its trigger waits on a 404, on no other status, and has no response_check."""
    asked_at = []

    def wait(_):
        asked_at.append(time.monotonic())
        return {"decision": "hold"}

    deferred = (NO_CHECK, ("deferrable=False", "deferrable=True"), ("timeout=4", "timeout=36000"))
    with (
        an_smtp_sink() as sink,
        a_scripted(*[HOLD] * ASKS, SEND) as hot,
        a_scripted(HOLD, GARBAGE["accepted"]) as open_,
        a_scripted(*[Reaction(404, wait)] * 4, SEND) as paced,
    ):
        variants = [
            variant(home, Case("hot", hot.url, hot), *deferred, ("poke_interval=0.5", "poke_interval=7200")),
            variant(home, Case("open", open_.url, open_), *deferred),
            variant(home, Case("paced", paced.url, paced), *deferred, ('["429", "503"]', '["404"]')),
        ]
        sent, _ = run(home, sink, variants)
    assert sent == ["hot@example.com", "open@example.com", "paced@example.com"]
    assert len(hot.asked) == ASKS + 1  # and not one pause of two hours
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(asked_at[1:]))


@pytest.mark.timeout(RUN_SECONDS)
def test_with_its_check_it_is_never_deferred(home):
    """The check keeps the sensor what it is, also where the configuration says that all are deferrable."""
    with an_smtp_sink() as sink, a_scripted(HOLD, UNKNOWN, GARBAGE["accepted"], SEND) as server:
        case = Case("checked", server.url, server)
        sent, ended = run(home, sink, [variant(home, case, ("deferrable=False", "deferrable=True"))])
    assert sent == [case.recipient]
    assert list(ended.values()) == ["success"]
    assert len(server.asked) == 4
