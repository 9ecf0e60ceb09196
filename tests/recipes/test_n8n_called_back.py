"""Real n8n asks a real holdfire for a permit and is called back: it mails once it has one, and on no other call."""

import json

import httpx2
import pytest

from tests.recipes.answering import RECIPES, cases, hasty
from tests.support.n8n import RUN_SECONDS
from tests.support.senders import save_policy, tell, wait_for_gate
from tests.support.server import a_server, run_cli
from tests.support.shell import wait_until

ASKING = RECIPES / "n8n" / "hold-or-send.json"
CALLED_BACK = RECIPES / "n8n" / "hold-or-send-called-back.json"
AT_ONCE = {"metric": "backlog", "hold_above": 10, "hold_for_seconds": 0, "resume_for_seconds": 0}
BUSY, QUIET = 500, 0
LIMIT = ('"resumeAmount": 3', '"resumeAmount": 2'), ('"resumeUnit": "hours"', '"resumeUnit": "seconds"')

pytestmark = pytest.mark.timeout(2 * RUN_SECONDS)


def a_key(folder, scope):
    made = run_cli("keys", "create", scope, "--scope", scope, HOLDFIRE_DATA_DIR=str(folder))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def holdfire(tmp_path_factory):
    """A real one that holds while its one queue is busy, a client that may do everything, and keys by scope."""
    folder = tmp_path_factory.mktemp("holdfire")
    keys = {scope: a_key(folder, scope) for scope in ("admin", "permits", "readiness")}
    with (
        a_server(folder, auth="on", HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS="127.0.0.1") as server,
        server.client(keys["admin"]) as client,
    ):
        tell(client, QUIET)
        save_policy(client, rules=[AT_ONCE], stale_after_seconds=3600)
        yield server, client, keys


@pytest.fixture
def client(holdfire):
    _, client, _ = holdfire
    return client


@pytest.fixture
def execute(holdfire, n8n, sink):
    """Return what executes a recipe with a key that holdfire made, changed as told; it mails to this recipient."""
    server, _, keys = holdfire
    smtp, bearers = n8n.mailer(sink.port), {scope: n8n.bearer(keys[scope]) for scope in ("permits", "readiness")}

    def execute(path, recipient, *changes, url=server.url):
        scope = "permits" if path is CALLED_BACK else "readiness"
        places = ("https://holdfire.example", url), ("everybody@lists.example.com", recipient)
        text = hasty(path.read_text(encoding="utf-8"), *places, *changes)
        return n8n.execute(json.loads(text), smtp=smtp, httpHeaderAuth=bearers[scope])

    return execute


def becomes(client, backlog):
    tell(client, backlog)
    return wait_for_gate(client, "hold" if backlog else "send")


def sent_by(sink):
    return sorted(to for each in sink.received for to in each.recipients)


def wait_for_a_call(n8n, *executions):
    wait_until(lambda: {n8n.state(each) for each in executions} == {"waiting"}, "them to wait", RUN_SECONDS)


def test_each_waits_while_the_floor_is_busy_and_mails_once_it_is_quiet(client, n8n, sink, execute):
    becomes(client, BUSY)
    called, asking = execute(CALLED_BACK, "called@example.com"), execute(ASKING, "asking@example.com")
    wait_for_a_call(n8n, called)
    assert sink.received == []
    becomes(client, QUIET)
    n8n.wait_for_end(called, asking)
    assert (n8n.state(called), n8n.state(asking)) == ("success", "success")
    assert sent_by(sink) == ["asking@example.com", "called@example.com"]
    permit, *_ = client.get("/api/v1/permits").json()["items"]
    assert (permit["campaign"], permit["sent"]) == ("spring", 500_000)


def test_it_mails_at_once_where_it_may(client, n8n, sink, execute):
    becomes(client, QUIET)
    n8n.wait_for_end(execute(CALLED_BACK, "quiet@example.com"))
    assert sent_by(sink) == ["quiet@example.com"]


def test_neither_anybodys_call_nor_the_end_of_the_wait_is_a_go(client, n8n, sink, execute):
    """Why it looks again: n8n goes on in both cases, and its addresses can be guessed. Who does not, mails."""
    becomes(client, BUSY)
    trusting = '"node": "Look again"', '"node": "Send"'
    called, waited = execute(CALLED_BACK, "called@example.com"), execute(CALLED_BACK, "waited@example.com", *LIMIT)
    trusts_call = execute(CALLED_BACK, "trusts-call@example.com", trusting)
    trusts_time = execute(CALLED_BACK, "trusts-time@example.com", trusting, *LIMIT)
    wait_for_a_call(n8n, called, trusts_call)
    for execution in (called, trusts_call):
        httpx2.post(f"{n8n.url}/webhook-waiting/{execution}", json={"decision": "hold"}).raise_for_status()
    n8n.wait_for_end(called, waited, trusts_call, trusts_time)
    assert [(n8n.state(each), n8n.last_node(each)) for each in (called, waited)] == [("error", "Give up")] * 2
    assert sent_by(sink) == ["trusts-call@example.com", "trusts-time@example.com"]


def test_no_answer_without_a_permit_brings_a_mail(n8n, sink, execute):
    with cases() as run:
        hastily = '"timeout": 10000', '"timeout": 1000'
        executions = [execute(CALLED_BACK, case.recipient, hastily, url=case.url) for case in run]
        n8n.wait_for_end(*executions)
        assert [case.name for case in run if case.server and not case.asked] == []
    assert {n8n.state(each) for each in executions} == {"error"}
    assert sent_by(sink) == []
