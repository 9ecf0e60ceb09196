"""Real n8n runs the workflow that is to be imported: one mail where it may go, none where it may not."""

import json

import pytest

from tests.recipes.answering import NEVER, ONCE, RECIPES, Case, cases, hasty
from tests.support.answers import HOLD, SEND, a_scripted, said
from tests.support.n8n import RUN_SECONDS
from tests.support.shell import wait_until

WORKFLOW = RECIPES / "n8n" / "hold-or-send.json"
KEY = "hf_test_ab12cd34_canary"
ENOUGH = 3  # asks, after which a workflow that sends on what it gets would have sent
LONG = 66  # seconds, from which on n8n writes a waiting run to its database and forgets it
AFTER = {"main": [[{"node": "Send", "type": "main", "index": 0}]]}


@pytest.fixture
def execute(n8n, sink):
    """Return what executes a workflow with the key, and with a mail account at the sink."""
    smtp, key = n8n.mailer(sink.port), n8n.bearer(KEY)
    return lambda workflow: n8n.execute(workflow, smtp=smtp, httpHeaderAuth=key)


def the_workflow(case, *changes):
    """Return the recipe for one case: its own server and recipient, with less patience."""
    text = hasty(
        WORKFLOW.read_text(encoding="utf-8"),
        ("https://holdfire.example", case.url),
        ("everybody@lists.example.com", case.recipient),
        ('"timeout": 10000', '"timeout": 1000'),
        ("|| 60, 1)", "|| 0.5, 0.5)"),
        *changes,
    )
    return json.loads(text)


def straight(case, options=None, **settings):
    """Return what people build who trust the node: request, then mail. settings: how the node takes a failure."""
    workflow = the_workflow(case)
    (asks,) = [node for node in workflow["nodes"] if node["name"] == "Ask holdfire"]
    del asks["onError"]
    asks["parameters"]["options"] = options or {}
    asks.update(settings)
    workflow["connections"] |= {"Ask holdfire": AFTER}
    return workflow


def sent_by(sink):
    return sorted(to for each in sink.received for to in each.recipients)


@pytest.mark.timeout(2 * RUN_SECONDS)
def test_one_mail_where_it_may_go_and_none_on_anything_else(n8n, sink, execute):
    with cases() as run, a_scripted(said(429, "hold", retry_after_seconds=LONG), SEND) as long_held:
        everyone = [*run, Case("long", long_held.url, long_held)]
        executions = {case.name: execute(the_workflow(case)) for case in everyone}
        going = [case for case in everyone if case.name in (*ONCE, "long")]
        wait_until(lambda: n8n.state(executions["long"]) == "waiting", "it to be put away", RUN_SECONDS)
        sink.wait_for(len(going), RUN_SECONDS)
        n8n.wait_for_end(*(executions[case.name] for case in going))
        held = [case for case in run if case.name in NEVER]
        settled = lambda: all(case.asked >= ENOUGH or case.recipient in sent_by(sink) for case in held)  # noqa: E731
        wait_until(settled, "every case to be asked again", RUN_SECONDS)
        still = [case.name for case in run if n8n.state(executions[case.name]) in ("running", "waiting")]
    assert sent_by(sink) == sorted(case.recipient for case in going)
    assert [n8n.state(executions[case.name]) for case in going] == ["success"] * len(going)
    assert still == [*NEVER, "refused"]


@pytest.mark.timeout(2 * RUN_SECONDS)
def test_it_asks_for_what_is_to_be_sent_with_its_key(n8n, execute):
    with a_scripted(SEND) as server:
        n8n.wait_for_end(execute(the_workflow(Case("go", server.url, server))))
    asked, *_ = server.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/readiness")
    assert asked.given == {"gate": "default", "campaign": "spring", "audience": "500000"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.timeout(2 * RUN_SECONDS)
def test_it_fails_when_its_time_is_over(n8n, sink, execute):
    with a_scripted(HOLD) as server:
        execution = execute(the_workflow(Case("late", server.url, server), ("hours: 3", "seconds: 2")))
        n8n.wait_for_end(execution)
    assert (n8n.state(execution), n8n.last_node(execution)) == ("error", "Give up")
    assert sent_by(sink) == []


@pytest.mark.timeout(2 * RUN_SECONDS)
def test_who_wires_the_request_to_the_mail_sends_on_a_hold(n8n, sink, execute):
    """Why the workflow has an IF, and an error output: four settings with which it mails when it must not."""
    never_error = {"response": {"response": {"neverError": True}}}
    with cases() as run:
        by_name = {case.name: case for case in run}
        open_ = {
            "hold in the body": straight(by_name["hold in the body"]),
            "accepted": straight(by_name["accepted"]),
            "unknown": straight(by_name["unknown"], onError="continueRegularOutput"),
            "hold": straight(by_name["hold"], never_error),
        }
        closed = execute(straight(by_name["error"]))
        executions = [execute(workflow) for workflow in open_.values()]
        n8n.wait_for_end(closed, *executions)
    assert sent_by(sink) == sorted(by_name[name].recipient for name in open_)
    assert n8n.state(closed) == "error"


@pytest.mark.timeout(2 * RUN_SECONDS)
def test_retry_on_fail_asks_five_times_and_no_more(n8n, sink, execute):
    """Why the workflow has a loop of its own: whatever is typed there, it is over in half a minute."""
    with a_scripted(*[HOLD] * 5, SEND) as server:
        patient = {"retryOnFail": True, "maxTries": 100, "waitBetweenTries": 3_600_000}
        execution = execute(straight(Case("retried", server.url, server), **patient))
        n8n.wait_for_end(execution)
    assert (n8n.state(execution), len(server.asked), sent_by(sink)) == ("error", 5, [])
