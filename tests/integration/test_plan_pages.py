"""The outlook's and the plan's pages over HTTP, on a floor that nobody knows anything of."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.server import Server, a_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("plan")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as opened:
        yield opened


def test_a_page_without_a_question_asks_for_one(client):
    page = client.get("/plan")
    assert page.status_code == 200
    assert "Choose a campaign, or say how many recipients you have in mind." in page.text
    assert "style-src 'self' 'nonce-" in page.headers["Content-Security-Policy"]


def test_who_opens_a_question_gets_a_page_that_fetches_its_answer(client):
    page = client.get("/plan", params={"audience": "25,000"})
    assert 'hx-get="/plan?audience=25%2C000" hx-trigger="load"' in page.text
    assert 'class="answer' not in page.text


@pytest.mark.parametrize("how", [{"headers": {"HX-Request": "true"}}, {"wait": "yes"}])
def test_what_is_not_known_is_said_with_its_reason(client, how):
    params = {"audience": "25000"} | ({"wait": how["wait"]} if "wait" in how else {})
    page = client.get("/plan", params=params, headers=how.get("headers", {}))
    assert page.status_code == 200
    assert "Not known what is safe" in page.text
    assert "No queue on the floor matches" in page.text or "There is no outlook for this policy yet." in page.text


def test_what_cannot_be_read_is_said_at_its_field(client):
    page = client.get("/plan", params={"audience": "a lot", "waves": "99"})
    assert page.status_code == 422
    assert 'id="waves-fault">Waves: write a whole number from 1 to 48.<' in page.text
    assert 'id="audience-fault">Write a whole number of recipients, such as 25,000.<' in page.text
    assert 'name="audience" type="text" value="a lot"' in page.text


@pytest.mark.parametrize(
    ("params", "said"),
    [({"campaign": "nobodys"}, "There is no campaign “nobodys”."), ({"gate": "north"}, "There is no gate “north”.")],
)
def test_what_is_not_there_is_said_by_name(client, params, said):
    page = client.get("/plan", params=params)
    assert page.status_code == 404
    assert said in page.text


def test_the_panel_has_words_and_no_picture_of_what_is_not_known(client):
    told = client.get("/partials/outlook").json()
    assert told["table"] is None
    assert 'class="said is-unknown"' in told["said"]
    assert told["campaigns"] == [{"value": "", "text": "any mail"}]
    assert 3 <= told["refresh_seconds"] <= 30


def test_a_fault_in_the_panel_is_said_and_a_gate_that_is_not_there_is_not_found(client):
    assert client.get("/partials/outlook", params={"audience": "x"}).json()["fault"].startswith("Write a whole number")
    assert client.get("/partials/outlook", params={"gate": "north"}).status_code == 404
