"""Campaigns' pages over HTTP: made, changed, stepped through by forms; refused, overtaken, and not allowed."""

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
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("campaigns")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened


def a_campaign(client: httpx2.Client, *steps: str, **members: object) -> str:
    """Return the id of a new campaign that these steps were taken with."""
    name = f"c{next(_NUMBERS)}"
    made = client.post("/api/v1/campaigns", json={"id": name, "title": f"Sale {name}", "audience": 500} | members)
    assert made.status_code == 201, made.text
    for step in steps:
        assert client.post(f"/api/v1/campaigns/{name}/{step}").status_code == 200
    return name


def stands(client: httpx2.Client, name: str) -> Any:
    return client.get(f"/api/v1/campaigns/{name}").json()


def form_of(page: str) -> dict[str, str]:
    """Return what the campaign's form on a page would send untouched."""
    inside = page[page.index('class="form campaign-form"') :]
    inputs = re.findall(r'<input id="(\w+)" name="\1"[^>]*? value="([^"]*)"', inside)
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inside)
    chosen = [
        (name, value)
        for name, options in re.findall(r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', inside, re.DOTALL)
        for value in re.findall(r'<option value="([^"]*)" selected>', options)
    ]
    return {name: unescape(value) for name, value in (*inputs, *hidden, *chosen)}


# --- the list ---------------------------------------------------------------------------------------------------------


def test_without_a_campaign_the_list_says_what_to_do(tmp_path):
    with a_server(tmp_path) as fresh, fresh.client() as client:
        page = client.get("/campaigns")
        assert page.status_code == 200
        assert "There is no campaign yet" in page.text
        assert 'href="/plan"' in page.text
        filtered = client.get("/campaigns", params={"state": "draft"})
        assert "No campaign fits" in filtered.text


def test_the_list_is_filtered_by_state_and_text_and_can_be_had_as_files(client):
    draft, gone = (
        a_campaign(client, kind="seed"),
        a_campaign(client, "schedule", "cancel", title="=Seed 2", kind="seed"),
    )
    both = client.get("/campaigns", params={"q": "seed"})
    assert both.text.index(f"/campaigns/{gone}") < both.text.index(f"/campaigns/{draft}")
    ended = client.get("/campaigns", params={"q": "SEED", "state": "ended"})
    assert f"/campaigns/{gone}" in ended.text
    assert f"/campaigns/{draft}" not in ended.text
    file = client.get("/campaigns", params={"q": "seed", "format": "json"}).json()
    assert [(each["id"], each["state"]) for each in file] == [(gone, "cancelled"), (draft, "draft")]
    table = client.get("/campaigns", params={"q": "seed", "format": "csv"})
    assert table.headers["content-disposition"].startswith("attachment")
    assert f"{gone},'=Seed 2,cancelled" in table.text


def test_a_long_list_goes_on_where_it_ended(client):
    names = [a_campaign(client, kind="many") for _ in range(102)]
    first = client.get("/campaigns", params={"q": "many"})
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older is not None
    second = client.get(unescape(older[1]))
    shown = [set(re.findall(r'href="/campaigns/(c\d+)"', page.text)) for page in (first, second)]
    assert (len(shown[0]), shown[0] | shown[1], shown[0] & shown[1]) == (100, set(names), set())
    assert 'rel="prev"' in second.text


# --- making one -------------------------------------------------------------------------------------------------------


def test_a_form_makes_a_draft_and_leads_to_it(client):
    empty = form_of(client.get("/campaigns/-/new").text)
    assert empty["zone"] == "UTC"
    typed = empty | {"title": "Made by hand", "audience": "25,000", "kind": "offer", "start": "2031-03-03T09:00"}
    made = client.post("/campaigns/-/new", data=typed)
    assert (made.status_code, made.headers["location"]) == (SEE_OTHER, "/campaigns/made-by-hand")
    campaign = stands(client, "made-by-hand")
    assert (campaign["state"], campaign["audience"], campaign["kind"]) == ("draft", 25_000, "offer")
    assert campaign["earliest_start"] == "2031-03-03T09:00:00Z"
    again = client.post("/campaigns/-/new", data=typed)
    assert again.status_code == 409
    assert "There is a campaign of this id already." in again.text


def test_the_plain_address_leads_to_the_form(client):
    assert client.get("/campaigns/new").headers["location"] == "/campaigns/-/new"


def test_saved_and_announced_is_one_button(client):
    typed = {
        "title": "Announced",
        "audience": "10",
        "then": "schedule",
        "start": "2031-03-03T09:00",
        "zone": "America/Chicago",
    }
    assert client.post("/campaigns/-/new", data=typed).status_code == SEE_OTHER
    campaign = stands(client, "announced")
    assert (campaign["state"], campaign["earliest_start"]) == ("scheduled", "2031-03-03T15:00:00Z")


def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(client):
    typed = {
        "title": "<b>Sale</b>",
        "audience": "lots",
        "mode": "waves",
        "gap": "10",
        "gate": "north",
        "start": "2026-11-01T01:30",
        "zone": "America/Chicago",
    }
    page = client.post("/campaigns/-/new", data=typed)
    assert page.status_code == 422
    for name in ("audience", "wave", "start"):
        assert f'id="{name}-fault"' in page.text
    assert 'value="&lt;b&gt;Sale&lt;/b&gt;"' in page.text
    assert 'value="lots"' in page.text
    assert '<option value="first">the first, CDT</option>' in page.text
    unknown = client.post("/campaigns/-/new", data={"title": "A", "audience": "1", "gate": "north"})
    assert unknown.status_code == 422
    assert "no gate" in unknown.text


def test_a_form_of_another_site_makes_nothing(server):
    with server.client() as client:
        typed = {"title": "Evil", "audience": "1"}
        assert (
            client.post("/campaigns/-/new", data=typed, headers={"Origin": "https://evil.example"}).status_code == 403
        )
        assert client.get("/api/v1/campaigns/evil").status_code == 404


# --- changing one -----------------------------------------------------------------------------------------------------


def test_a_change_changes_what_was_typed_over_and_is_told_with_its_reason(client):
    name = a_campaign(client, earliest_start="2031-03-03T09:00:42Z", queue_mix={"orders-voice": 1.0})
    form = form_of(client.get(f"/campaigns/{name}/edit").text) | {"mix": "orders-voice 100"}
    saved = client.post(f"/campaigns/{name}/edit", data=form | {"audience": "400", "reason": "less stock"})
    assert (saved.status_code, saved.headers["location"]) == (SEE_OTHER, f"/campaigns/{name}")
    campaign = stands(client, name)
    assert (campaign["audience"], campaign["earliest_start"]) == (400, "2031-03-03T09:00:42Z")
    page = client.get(f"/campaigns/{name}").text
    assert "Its plan was changed: audience 500 → 400" in page
    assert "less stock" in page


def test_somebody_else_s_change_is_shown_and_not_overwritten(client):
    name = a_campaign(client, owner="Ann")
    form = form_of(client.get(f"/campaigns/{name}/edit").text)
    tag = client.get(f"/api/v1/campaigns/{name}").headers["etag"]
    theirs = {"kind": "offer", "audience": 450}
    assert client.patch(f"/api/v1/campaigns/{name}", json=theirs, headers={"If-Match": tag}).status_code == 200
    late = client.post(f"/campaigns/{name}/edit", data=form | {"title": "Mine"})
    assert late.status_code == 412
    assert "changed this campaign" in late.text
    assert "Audience: “500” became “450”." in late.text
    assert "Kind: “–” became “offer”." in late.text  # noqa: RUF001
    assert stands(client, name)["title"] == f"Sale {name}"
    merged = form_of(late.text)
    assert (merged["title"], merged["audience"], merged["kind"]) == ("Mine", "450", "offer")
    assert client.post(f"/campaigns/{name}/edit", data=merged).status_code == SEE_OTHER
    campaign = stands(client, name)
    assert (campaign["title"], campaign["audience"], campaign["kind"]) == ("Mine", 450, "offer")


def test_a_campaign_that_a_tool_sends_says_so_and_keeps_it_when_something_else_is_changed(client):
    handed = {"name": "listmonk", "campaigns": ["12"]}
    name = a_campaign(client, sender=handed)
    assert "listmonk, as its campaign 12" in client.get(f"/campaigns/{name}").text
    form = form_of(client.get(f"/campaigns/{name}/edit").text) | {"tool": "12"}
    assert form["sender"] == "listmonk"
    assert client.post(f"/campaigns/{name}/edit", data=form | {"title": "Other"}).status_code == SEE_OTHER
    assert (stands(client, name)["title"], stands(client, name)["sender"]) == ("Other", handed)
    again = form_of(client.get(f"/campaigns/{name}/edit").text) | {"tool": "12 400\n13 100"}
    assert client.post(f"/campaigns/{name}/edit", data=again).status_code == SEE_OTHER
    parts = [{"id": "12", "recipients": 400}, {"id": "13", "recipients": 100}]
    assert stands(client, name)["sender"] == {"name": "listmonk", "campaigns": parts}


def test_where_no_tool_is_driven_the_form_does_not_ask_for_one(client):
    assert 'name="sender"' not in client.get("/campaigns/-/new").text


def test_a_refused_change_leaves_everything(client):
    name = a_campaign(client)
    form = form_of(client.get(f"/campaigns/{name}/edit").text)
    refused = client.post(f"/campaigns/{name}/edit", data=form | {"audience": "0", "base": "{"})
    assert refused.status_code == 422
    assert "0 is not between 1 and" in refused.text
    assert client.post(f"/campaigns/{name}/edit", data=form | {"revision": "9" * 30}).status_code == 412
    assert stands(client, name)["revision"] == 1


def test_what_has_ended_is_not_changed(client):
    name = a_campaign(client, "schedule", "cancel")
    page = client.get(f"/campaigns/{name}/edit")
    assert page.status_code == 409
    assert "It has ended, so its plan cannot be changed any more." in page.text
    saved = client.post(f"/campaigns/{name}/edit", data={"title": "B", "audience": "1", "revision": "2"})
    assert saved.status_code == 409


# --- steps ------------------------------------------------------------------------------------------------------------


def test_a_campaign_is_announced_paused_and_resumed_by_buttons(client):
    name = a_campaign(client)
    for step, state in (("schedule", "waiting"), ("pause", "paused"), ("resume", "scheduled")):
        revision = stands(client, name)["revision"]
        taken = client.post(f"/campaigns/{name}/{step}", data={"revision": revision})
        assert (taken.status_code, stands(client, name)["state"] in {state, "waiting"}) == (SEE_OTHER, True), step
    page = client.get(f"/campaigns/{name}").text
    assert f'action="/campaigns/{name}/pause"' in page
    assert "Nothing may go" in page or "Not known: nothing may go" in page


def test_a_step_goes_by_what_was_seen_but_a_pause_stops_whatever_happened(client):
    name = a_campaign(client)
    late = client.post(f"/campaigns/{name}/schedule", data={"revision": "7"})
    assert late.status_code == 412
    assert "changed it meanwhile" in late.text
    assert stands(client, name)["state"] == "draft"
    client.post(f"/api/v1/campaigns/{name}/schedule")
    assert client.post(f"/campaigns/{name}/pause", data={"revision": "1"}).status_code == SEE_OTHER
    assert stands(client, name)["state"] == "paused"


def test_what_is_not_possible_is_said(client):
    name = a_campaign(client)
    page = client.post(f"/campaigns/{name}/start", data={"revision": "1"})
    assert page.status_code == 409
    assert "Nothing was done: campaign" in page.text
    assert "is draft, so the step" in unescape(page.text)


def test_cancelling_takes_a_second_look_and_a_reason(client):
    name = a_campaign(client, "schedule")
    asked = client.get(f"/campaigns/{name}/cancel")
    assert "for good" in asked.text
    revision = stands(client, name)["revision"]
    bare = client.post(f"/campaigns/{name}/cancel", data={"revision": revision, "reason": " "})
    assert bare.status_code == 422
    assert "Say why" in bare.text
    assert stands(client, name)["state"] != "cancelled"
    done = client.post(f"/campaigns/{name}/cancel", data={"revision": revision, "reason": "wrong\nlink"})
    assert done.status_code == SEE_OTHER
    assert (stands(client, name)["state"], stands(client, name)["reason"]) == ("cancelled", "wrong link")
    assert client.get(f"/campaigns/{name}/cancel").status_code == 409


def test_a_draft_is_deleted_after_a_second_look_and_nothing_else_is(client):
    name, announced = a_campaign(client), a_campaign(client, "schedule")
    assert "The draft goes" in client.get(f"/campaigns/{name}/delete").text
    gone = client.post(f"/campaigns/{name}/delete", data={"revision": "1"})
    assert (gone.status_code, gone.headers["location"]) == (SEE_OTHER, "/campaigns")
    assert client.get(f"/campaigns/{name}").status_code == 404
    kept = client.post(f"/campaigns/{announced}/delete", data={"revision": stands(client, announced)["revision"]})
    assert kept.status_code == 409


@pytest.mark.parametrize("path", ["", "/edit", "/cancel", "/delete"])
def test_a_campaign_that_is_not_there_is_said_by_name(client, path):
    page = client.get(f"/campaigns/nobodys{path}")
    assert page.status_code == 404
    assert "There is no campaign “nobodys”." in page.text


# --- who may ----------------------------------------------------------------------------------------------------------


def test_a_viewer_sees_campaigns_and_changes_none(tmp_path):
    with a_server(tmp_path, auth="on") as guarded:
        with closing(signed_in(guarded, Role.MARKETER)) as marketer:
            made = marketer.post("/campaigns/-/new", data={"title": "Spring", "audience": "10"})
            assert made.status_code == SEE_OTHER
        with closing(signed_in(guarded, Role.VIEWER)) as viewer:
            page = viewer.get("/campaigns/spring")
            assert page.status_code == 200
            assert "do-schedule" not in page.text
            assert "New campaign" not in viewer.get("/campaigns").text
            for path in ("/campaigns/-/new", "/campaigns/spring/schedule", "/campaigns/spring/edit"):
                refused = viewer.post(path, data={"title": "Mine", "audience": "10", "revision": "1"})
                assert refused.status_code == 403
            assert "Draft" in viewer.get("/campaigns/spring").text
