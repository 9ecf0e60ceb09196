"""The scoreboard and value figures as pages over HTTP: seen, uploaded, reported by hand, refused, overtaken."""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from io import StringIO

import httpx2
import pytest

from tests.support.people import signed_in, visiting
from tests.support.server import Server, a_server

UPLOAD, OK, SEE_OTHER = "/scoreboard/values", 200, 303


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gate that hears of no queue, so that nothing goes: two campaigns wait for it."""
    with a_server(tmp_path_factory.mktemp("scoreboard")) as started, closing(visiting(started)) as client:
        for name in ("spring", "autumn"):
            plan = {"id": name, "title": f"{name.title()} <sale>", "audience": 500, "release": {"mode": "when-ready"}}
            client.post("/api/v1/campaigns", json=plan).raise_for_status()
            client.post(f"/api/v1/campaigns/{name}/schedule").raise_for_status()
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with closing(visiting(server)) as opened:
        yield opened


def upload(client: httpx2.Client, text: str, step: str = "preview", **fields: str) -> httpx2.Response:
    files = {"file": ("values.csv", text.encode(), "text/csv")}
    return client.post(UPLOAD, data={"step": step} | fields, files=files, headers={"HX-Request": "true"})


def worth(client: httpx2.Client, name: str) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/v1/campaigns/{name}/value").json()
    return found


def report(client: httpx2.Client, name: str, **fields: object) -> httpx2.Response:
    revision = worth(client, name)["revision"]
    return client.post(f"/campaigns/{name}/value", data={"revision": revision} | fields)


def test_what_waits_is_on_the_board_escaped_and_leads_to_its_page(client):
    page = client.get("/scoreboard")
    assert page.status_code == OK
    assert "Spring &lt;sale&gt;" in page.text
    assert "<sale>" not in page.text
    assert 'href="/campaigns/spring"' in page.text
    assert "2 sends wait now" in page.text


def test_the_board_is_a_file_too_with_nothing_where_nothing_is_known(client):
    rows = list(csv.DictReader(StringIO(client.get("/scoreboard?format=csv&sort=campaign").text.lstrip("\ufeff"))))
    assert [(row["campaign"], row["is_waiting"], row["per_1000"]) for row in rows] == [
        ("autumn", "true", ""),
        ("spring", "true", ""),
    ]
    assert client.get("/scoreboard?format=json&sort=-campaign").json()[0]["per_1000"] is None


def test_headings_lead_to_the_other_order_and_keep_the_days(client):
    page = client.get("/scoreboard?from=2020-01-01&sort=-sent").text
    links = re.findall(r'<a class="by" href="([^"]*)"', page)
    assert "/scoreboard?from=2020-01-01&amp;sort=sent" in links
    assert "/scoreboard?from=2020-01-01&amp;sort=-per_1000" in links
    assert page.count('aria-sort="descending"') == 1


@pytest.mark.parametrize("query", ["from=gestern", "to=2026-02-30", "from=2026-02-02&to=2026-01-01"])
def test_days_that_mean_nothing_are_said_at_their_field(client, query):
    page = client.get(f"/scoreboard?{query}")
    assert page.status_code == 422
    assert "These are the last 90 days" in page.text
    assert page.text.count('aria-invalid="true"') == 1


def test_a_file_is_looked_at_before_it_is_saved(client):
    text = "campaign,new,lost,kept,value\nspring,10,4,1,2.50\n"
    seen = upload(client, text, currency="EUR")
    assert seen.status_code == OK
    assert "Nothing is saved yet" in seen.text
    assert "value per customer from “value”" in seen.text
    assert "17.50\u00a0EUR" in seen.text
    assert "<html" not in seen.text
    assert worth(client, "spring")["revision"] == 0
    assert "Saved" in upload(client, text, "save", currency="EUR").text
    assert (worth(client, "spring")["net"], worth(client, "spring")["source"]) == (17.5, "file")
    assert "It is the same as what is reported already" in upload(client, text, "save", currency="EUR").text
    assert worth(client, "spring")["revision"] == 1


def test_a_file_with_a_bad_line_is_refused_whole(client):
    refused = upload(client, "campaign,new\nautumn,5\nnothing,6\n", "save")
    assert refused.status_code == 422
    assert "line 3: there is no campaign &#39;nothing&#39;" in refused.text
    assert worth(client, "autumn")["revision"] == 0
    assert upload(client, "", "save").status_code == 422
    assert "Choose a file first" in upload(client, "").text


def test_without_a_script_the_same_form_answers_with_the_whole_page(client):
    files = {"file": ("values.csv", b"campaign,new\nautumn,5\n", "text/csv")}
    page = client.post(UPLOAD, data={"step": "preview"}, files=files)
    assert page.status_code == OK
    assert "<html" in page.text
    assert "This is what was understood" in page.text


def test_figures_are_reported_by_hand_and_shown_with_all_that_was_reported(client):
    made = report(client, "autumn", new="1.200", lost="310", kept="90", value_per_customer="42,50", currency="eur")
    assert (made.status_code, made.headers["location"]) == (SEE_OTHER, "/campaigns/autumn/value?saved=yes")
    page = client.get(made.headers["location"]).text
    assert "Saved." in page
    assert "41,650\u00a0EUR" in page
    rows = client.get("/campaigns/autumn/value?format=json").json()
    assert [(row["revision"], row["new"], row["source"], row["net"]) for row in rows] == [(1, 1200, "form", 41_650.0)]
    listed = client.get(f"{UPLOAD}?format=json").json()
    assert {row["campaign"]: row["net"] for row in listed}["autumn"] == 41_650.0


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(client):
    before = worth(client, "autumn")["revision"]
    refused = report(client, "autumn", new="many", lost="-3", net_value="5")
    assert refused.status_code == 422
    assert re.search(r'id="new-fault">.*?many.*? is no number', refused.text)
    assert 'value="-3"' in refused.text
    wrong = report(client, "autumn", lost="-3", net_value="5")
    assert re.search(r'id="lost-fault">-3 must be a whole number', wrong.text)
    assert re.search(r'id="currency-fault">Net value needs its currency', wrong.text)
    assert worth(client, "autumn")["revision"] == before


def test_who_was_overtaken_sees_what_came_first_and_keeps_what_they_typed(client):
    report(client, "spring", new="1")
    late = client.post("/campaigns/spring/value", data={"revision": 1, "new": "777"})
    assert late.status_code == 412
    assert "Somebody else reported figures meanwhile" in late.text
    assert 'value="777"' in late.text
    newest = worth(client, "spring")["revision"]
    assert f'name="revision" value="{newest}"' in late.text


def test_no_campaign_has_no_value(client):
    assert client.get("/campaigns/nothing/value").status_code == 404
    assert client.post("/campaigns/nothing/value", data={"revision": 0, "new": "1"}).status_code == 404


def test_who_may_only_look_is_offered_nothing_and_refused(tmp_path):
    with a_server(tmp_path, auth="on") as server, signed_in(server, "viewer") as viewer:
        with signed_in(server, "marketer") as marketer:
            assert "Upload a file" in marketer.get(UPLOAD).text
            assert upload(marketer, "campaign,new\nspring,1\n").status_code == 422  # there is no such campaign
        page = viewer.get(UPLOAD)
        assert page.status_code == OK
        assert "Upload a file" not in page.text
        assert upload(viewer, "campaign,new\nspring,1\n", "save").status_code == 403
        assert viewer.post("/campaigns/spring/value", data={"new": "1"}).status_code == 403


def test_nobody_reports_from_another_site(server):
    with server.client() as stranger:
        assert upload(stranger, "campaign,new\nspring,1\n", "save").status_code == 403
