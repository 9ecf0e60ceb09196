"""The thresholds' pages over HTTP: nothing is saved unseen, unsaid why, or over somebody else's change."""

import re
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from itertools import count
from typing import Any

import httpx2
import pytest

from app.core.access import Role
from tests.support.people import signed_in, visiting
from tests.support.server import Server, a_server

SEE_OTHER = 303
POLICY: dict[str, Any] = {
    "queues": ["*"],
    "time_zone": "America/Chicago",
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5},
        {"metric": "service_level_ratio", "window_seconds": 900, "hold_below": 0.75},
    ],
}
_NUMBERS = count(1)
_FIELD = re.compile(r"<(input|textarea|select)\b([^>]*)>")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("thresholds")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened


@pytest.fixture
def gate(client: httpx2.Client) -> str:
    """A gate with one version of a policy."""
    name = f"g{next(_NUMBERS)}"
    client.post("/api/v1/gates", json={"name": name}).raise_for_status()
    put(client, name, POLICY)
    return name


def put(client: httpx2.Client, gate: str, document: dict[str, Any], **query: str) -> None:
    """Save a policy as a program does."""
    headers = {"If-Match": "*"} if client.get(f"/api/v1/gates/{gate}/policy").status_code == 200 else {}
    client.put(f"/api/v1/gates/{gate}/policy", json=document, headers=headers, params=query).raise_for_status()


def newest(client: httpx2.Client, gate: str) -> Any:
    return client.get(f"/api/v1/gates/{gate}/policy").json()


def form_of(page: str) -> dict[str, str]:
    """Return what the form of the limits on a page would send untouched."""
    inside = page[page.index('id="policy"') : page.index("</form>", page.index('id="policy"'))]
    sent = {"queues": unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", inside, re.DOTALL)[0])}
    for kind, attributes in _FIELD.findall(inside):
        name = re.search(r'\bname="([^"]*)"', attributes)
        value = re.search(r'\bvalue="([^"]*)"', attributes)
        if kind == "input" and name and value and "form=" not in attributes:
            if 'type="checkbox"' in attributes and "checked" not in attributes:
                continue
            sent[name[1]] = unescape(value[1])
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)"[^>]*>(.*?)</select>', inside, re.DOTALL):
        if chosen := re.search(r'<option value="([^"]*)"[^>]* selected', options):
            sent[name] = unescape(chosen[1])
    return sent


def look(client: httpx2.Client, gate: str, **changes: str) -> dict[str, str]:
    """Return the form as it is sent back when somebody looks at what their changes would change."""
    typed = form_of(client.get("/thresholds", params={"gate": gate}).text)
    typed |= {name.replace("_", "-"): text for name, text in changes.items()}
    shown = client.post("/thresholds", params={"gate": gate}, data=typed | {"step": "look"})
    assert shown.status_code == 200
    return form_of(shown.text)


def save(client: httpx2.Client, gate: str, form: dict[str, str], reason: str = "spring sale") -> httpx2.Response:
    return client.post("/thresholds", params={"gate": gate}, data=form | {"reason": reason, "step": "save"})


# --- saving -----------------------------------------------------------------------------------------------------------


def test_what_was_looked_at_is_saved_with_its_reason_and_author(client, gate):
    form = look(client, gate, rule_0_hold="12", rule_1_hold="70")
    answer = save(client, gate, form)
    assert (answer.status_code, answer.headers["location"]) == (SEE_OTHER, f"/thresholds?gate={gate}&saved=2")
    saved = newest(client, gate)
    assert (saved["version"], saved["reason"], saved["author"]) == (2, "spring sale", "anonymous")
    assert saved["policy"]["rules"][0] == {"metric": "backlog", "hold_above": 12, "resume_below": 5} | {
        "on_missing": "unknown"
    }
    assert saved["policy"]["rules"][1]["hold_below"] == 0.7
    assert "Saved as version 2" in client.get(answer.headers["location"]).text
    (event,) = client.get(
        "/api/v1/events", params={"type": "policy.saved", "subject": f"gate/{gate}", "limit": 1}
    ).json()["items"]
    assert (event["reason"], event["after"]["version"]) == ("spring sale", 2)


def test_nothing_is_saved_that_was_not_shown(client, gate):
    form = look(client, gate, rule_0_hold="12")
    unseen = save(client, gate, form | {"rule-0-hold": "50"})
    assert unseen.status_code == 200
    assert "Nothing is saved yet" in unseen.text
    assert newest(client, gate)["version"] == 1
    assert save(client, gate, form_of(unseen.text)).status_code == SEE_OTHER
    assert newest(client, gate)["policy"]["rules"][0]["hold_above"] == 50


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "two\nlines"])
def test_nothing_is_saved_without_a_reason(client, gate, reason):
    answer = save(client, gate, look(client, gate, rule_0_hold="12"), reason)
    assert answer.status_code == 422
    assert 'id="reason-fault"' in answer.text
    assert form_of(answer.text)["rule-0-hold"] == "12"
    assert newest(client, gate)["version"] == 1


def test_a_refused_limit_is_said_at_its_field_and_nothing_typed_is_lost(client, gate):
    answer = save(client, gate, look(client, gate, rule_0_hold="12") | {"rule-0-resume": "13", "time-zone": "Mars"})
    assert answer.status_code == 422
    assert 'id="rule-0-resume-fault">Must be at or below the hold limit' in answer.text
    assert 'id="time-zone-fault"' in answer.text
    kept = form_of(answer.text)
    assert (kept["rule-0-hold"], kept["rule-0-resume"], kept["time-zone"]) == ("12", "13", "Mars")
    assert newest(client, gate)["version"] == 1


def test_a_form_that_changes_nothing_makes_no_version(client, gate):
    answer = save(client, gate, look(client, gate))
    assert answer.status_code == 422
    assert "Nothing differs from what is saved" in answer.text
    assert newest(client, gate)["version"] == 1


def test_somebody_else_s_change_is_shown_and_what_was_typed_is_kept(client, gate):
    form = look(client, gate, rule_0_hold="12")
    put(client, gate, POLICY | {"mode": "shadow"}, reason="only watch for now")
    overtaken = save(client, gate, form)
    assert overtaken.status_code == 412
    assert "saved version 2" in overtaken.text
    assert "only watch for now" in overtaken.text
    assert "Mode: enforce → shadow" in overtaken.text
    kept = form_of(overtaken.text)
    assert (kept["rule-0-hold"], kept["expected"]) == ("12", "2")
    assert re.search(r"Mode</th><td class=\"was\">shadow</td><td class=\"is\">enforce", overtaken.text)
    assert newest(client, gate)["version"] == 2
    assert save(client, gate, kept | {"mode": "shadow"}).status_code == 200  # another change than the one shown
    assert save(client, gate, kept).status_code == SEE_OTHER
    assert newest(client, gate)["version"] == 3


def test_an_old_page_cannot_save_over_a_newer_version_by_naming_it_alone(client, gate):
    form = look(client, gate, rule_0_hold="12")
    put(client, gate, POLICY | {"mode": "shadow"})
    answer = save(client, gate, form | {"expected": "2"})
    assert (answer.status_code, newest(client, gate)["version"]) == (200, 2)


# --- the form ---------------------------------------------------------------------------------------------------------


def test_rules_and_windows_come_and_go_without_scripts(client, gate):
    typed = form_of(client.get("/thresholds", params={"gate": gate}).text)

    def step(form: dict[str, str], name: str) -> dict[str, str]:
        return form_of(client.post("/thresholds", params={"gate": gate}, data=form | {"step": name}).text)

    more = step(step(typed, "add-rule"), "add-window")
    assert (more["rule-2-metric"], more["window-0-from"]) == ("oldest_wait_seconds", "09:00")
    fewer = step(more | {"rule-2-hold": "60", "window-0-days": "mon"}, "remove-rule-0")
    assert (fewer["rule-0-metric"], fewer["rule-1-hold"]) == ("service_level_ratio", "60")
    assert "rule-2-metric" not in fewer
    assert save(client, gate, step(fewer, "look")).status_code == SEE_OTHER
    document = newest(client, gate)["policy"]
    assert [rule["metric"] for rule in document["rules"]] == ["service_level_ratio", "oldest_wait_seconds"]
    assert document["send_windows"] == [{"days": ["mon"], "from": "09:00", "to": "18:00"}]


def test_the_address_carries_limits_as_the_backtest_has_them(client, gate):
    page = client.get("/thresholds", params={"gate": gate, "hold-0": "12", "hold-1": "0.6", "resume-0": "nan"}).text
    form = form_of(page)
    assert (form["rule-0-hold"], form["rule-1-hold"], form["rule-0-resume"]) == ("12", "60", "5")
    assert "Backlog: hold above" in page


def test_an_older_version_is_used_again_as_a_new_one(client, gate):
    save(client, gate, look(client, gate, rule_0_hold="12"))
    page = client.get("/thresholds", params={"gate": gate, "version": "1"}).text
    form = form_of(page)
    assert (form["rule-0-hold"], form["expected"], form["reason"]) == ("10", "2", "Use version 1 again")
    assert save(client, gate, form, form["reason"]).status_code == SEE_OTHER
    assert (newest(client, gate)["version"], newest(client, gate)["policy"]["rules"][0]["hold_above"]) == (3, 10)


def test_versions_are_listed_with_what_they_changed_and_can_be_had_as_files(client, gate):
    save(client, gate, look(client, gate, rule_0_hold="12"), "=cmd()")
    page = client.get("/thresholds", params={"gate": gate}).text
    assert re.search(r"Backlog: hold above: <span class=\"was\">10</span> → <span class=\"is\">12", page)
    rows = client.get("/thresholds", params={"gate": gate, "format": "json"}).json()
    assert [(row["version"], row["reason"]) for row in rows] == [(2, "=cmd()"), (1, "")]
    assert rows[0]["changes"] == ["Backlog: hold above: 10 to 12"]
    assert ",'=cmd()," in client.get("/thresholds", params={"gate": gate, "format": "csv"}).text


def test_older_versions_are_a_page_further(client, gate):
    for limit in range(11, 23):
        put(client, gate, POLICY | {"rules": [{"metric": "backlog", "hold_above": limit}]})
    first = client.get("/thresholds", params={"gate": gate}).text
    assert [int(number) for number in re.findall(r'id="version-(\d+)"', first)] == list(range(13, 3, -1))
    older = re.search(r'rel="next" href="([^"]+)#versions"', first)
    assert older
    second = client.get(unescape(older[1])).text
    assert [int(number) for number in re.findall(r'id="version-(\d+)"', second)] == [3, 2, 1]


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_while_somebody_types_they_see_what_changes_and_what_it_would_have_done(client, gate):
    form = form_of(client.get("/thresholds", params={"gate": gate}).text) | {"rule-0-hold": "12"}
    review = client.post("/partials/thresholds/review", params={"gate": gate}, data=form)
    assert (review.status_code, "Backlog: hold above" in review.text, "<html" in review.text) == (200, True, False)
    told = client.post("/partials/thresholds/preview", params={"gate": gate}, data=form)
    assert told.status_code == 200
    assert "<b>These limits</b> would not have held, and no hour was bad." in told.text
    assert "<b>As saved, version 1</b>" in told.text
    saved = client.get("/partials/thresholds/preview", params={"gate": gate})
    assert ("As saved" in saved.text, "These limits" in saved.text) == (True, False)
    assert (
        client.post("/partials/thresholds/preview", params={"gate": gate}, data=form | {"rule-0-hold": "x"}).status_code
        == 422
    )


@pytest.mark.parametrize("piece", ["review", "preview"])
def test_pieces_of_no_gate_are_not_there(client, piece):
    assert client.post(f"/partials/thresholds/{piece}", params={"gate": "nowhere"}).status_code == 404


def test_a_curve_is_of_a_queue_that_the_gate_watches(client, gate):
    query = {"gate": gate, "queue": "nowhere", "metric": "backlog"}
    assert client.get("/partials/thresholds/curve", params=query).status_code == 404


# --- gates ------------------------------------------------------------------------------------------------------------


def test_a_gate_is_made_gets_its_first_policy_and_is_deleted_after_a_second_look(client):
    name = f"g{next(_NUMBERS)}"
    made = client.post("/thresholds/gates", data={"name": name, "gate-reason": "chats"})
    assert (made.status_code, made.headers["location"]) == (SEE_OTHER, f"/thresholds?gate={name}")
    page = client.get(made.headers["location"]).text
    assert "has no policy yet, so it is unknown and holds every send" in page
    assert save(client, name, form_of(page), "a first one").status_code == SEE_OTHER
    assert newest(client, name)["version"] == 1
    where = {"gate": name}
    assert "Type its name once more" in client.get("/thresholds/delete", params=where).text
    for wrong in ({"name": name, "reason": ""}, {"name": "default", "reason": "over"}):
        assert client.post("/thresholds/delete", params=where, data=wrong).status_code == 422
    gone = client.post("/thresholds/delete", params=where, data={"name": name, "reason": "over"})
    assert gone.status_code == SEE_OTHER
    assert client.get("/thresholds", params=where).status_code == 404
    assert client.get("/api/v1/readiness", params=where).status_code == 404
    events = client.get("/api/v1/events", params={"subject": f"gate/{name}"}).json()["items"]
    done = [event for event in events if not event["type"].startswith("decision.")]
    assert [(event["type"], event["reason"]) for event in done] == [
        ("gate.deleted", "over"),
        ("policy.saved", "a first one"),
        ("gate.created", "chats"),
    ]


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [("Capital", 422, "lower-case letters"), ("default", 409, "choose another name"), ("", 422, "lower-case letters")],
)
def test_a_bad_name_is_said_at_its_field(client, name, status, said):
    answer = client.post("/thresholds/gates", data={"name": name, "gate-reason": "chats"})
    assert answer.status_code == status
    assert 'id="name-fault"' in answer.text
    assert said in answer.text


def test_without_a_reason_no_gate_is_made(client):
    assert client.post("/thresholds/gates", data={"name": "quiet", "gate-reason": ""}).status_code == 422
    assert client.get("/api/v1/gates/quiet").status_code == 404


# --- who may ----------------------------------------------------------------------------------------------------------


def test_who_may_not_change_it_looks_at_it_and_can_send_nothing(tmp_path):
    with a_server(tmp_path, auth="on") as guarded:
        with closing(signed_in(guarded, Role.MARKETER)) as marketer:
            marketer.timeout = 60  # the first backtest of a server starts the process that computes
            page = marketer.get("/thresholds").text
            assert "readonly" in page
            assert 'name="step"' not in page
            assert "Delete gate" not in page
            assert marketer.get("/partials/thresholds/preview").status_code == 200
            for path in ("/thresholds", "/thresholds/gates", "/thresholds/delete", "/partials/thresholds/review"):
                assert marketer.post(path, data={"step": "save", "name": "x", "reason": "x"}).status_code == 403
            assert marketer.get("/thresholds/delete", params={"gate": "default"}).status_code == 403
        with closing(signed_in(guarded, Role.WORKFORCE)) as planner:
            answer = save(planner, "default", look(planner, "default", rule_0_hold="12"))
            assert answer.status_code == SEE_OTHER
        with guarded.client() as stranger:
            assert stranger.get("/thresholds").headers["location"].startswith("/sign-in?next=")
