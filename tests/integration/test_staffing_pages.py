"""The schedule's page over HTTP, with sign-in on: who may look, who may save, and what is no form."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.integration.test_live_socket import a_key
from tests.support.people import signed_in
from tests.support.server import Server, a_server

PLANNER = "planner@example.com"
URL = "/queues/orders-voice/staffing"
FILE = b"Date,Time,Agents\n2031-03-03,08:00-08:30,5\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("guarded")
    return {"key": a_key(folder, "read")["key"], "folder": str(folder)}


@pytest.fixture(scope="module")
def server(keys) -> Iterator[Server]:
    with a_server(Path(keys["folder"]), auth="on") as started:
        yield started


def own(server: Server) -> dict[str, str]:
    return {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def people(server) -> Iterator[dict[str, httpx2.Client]]:
    with signed_in(server, "viewer") as reader, signed_in(server, "workforce", PLANNER) as planner:
        yield {"reader": reader, "planner": planner}


def send(client, server, step="save", content=FILE, headers=None, **fields):
    sent = own(server) if headers is None else headers
    data = {"step": step, "time_zone": "UTC"} | fields
    return client.post(URL, data=data, files={"file": ("wfm.csv", content, "text/csv")}, headers=sent)


def test_strangers_are_led_to_the_form(server):
    with server.client() as client:
        assert client.get(URL).headers["location"] == "/sign-in?next=%2Fqueues%2Forders-voice%2Fstaffing"
        assert send(client, server).status_code == 303
        assert client.get(f"{URL}/file").status_code == 303


def test_who_may_read_may_look_at_a_file_and_not_save_it(people, server):
    reader = people["reader"]
    assert "Saving needs the scope" in reader.get(URL).text
    assert "Nothing is saved yet" in send(reader, server, "preview").text
    refused = send(reader, server)
    assert refused.status_code == 403
    assert "saving needs the scope" in refused.text
    assert reader.get(f"{URL}/file").text == "starts_at,ends_at,agents\n"


def test_who_may_set_policies_saves_and_its_name_is_in_the_log(people, server, keys):
    planner = people["planner"]
    assert "<h3>Saved</h3>" in send(planner, server, revision="0").text
    assert send(planner, server, content=FILE.replace(b",5", b",6"), revision="0").status_code == 412
    with server.client(keys["key"]) as client:
        (event,) = client.get("/api/v1/events?type=staffing.saved").json()["items"]
    assert event["subject"] == "queue/orders-voice"
    assert event["actor"]["name"] == "planner"


def test_a_form_from_another_site_does_nothing(people, server):
    planner = people["planner"]
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert send(planner, server, headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"content": b""}, "Choose a file first"),
        ({"time_zone": "Mars<b>"}, "“Mars&lt;b&gt;” is no time zone"),
        ({"date_order": "ymd"}, "is no order of dates"),
        ({"decimal": "x"}, "marks no fraction"),
        ({"content": b"a,b\n<i>,2\n"}, "no column has the agents"),
        ({"agents_column": "Open"}, "there is no column &#34;Open&#34;"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(people, server, fields, said):
    answer = send(people["planner"], server, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<i>" not in answer.text


def test_what_is_no_form_and_what_is_no_queue_are_refused_without_a_fault_of_ours(people, server):
    planner = people["planner"]
    broken = {**own(server), "Content-Type": "multipart/form-data; boundary=x"}
    assert planner.post(URL, content=b"--y\r\nnonsense", headers=broken).status_code in {400, 422}
    assert planner.post(URL, content=b"{}", headers=own(server)).status_code == 422
    assert planner.get("/queues/%00/staffing").status_code == 404
    assert not [line for line in server.lines if "Traceback" in line]
