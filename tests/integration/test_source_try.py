"""The page where a mapping is tried on a sample: what it shows, refuses, and never stores."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.people import signed_in
from tests.support.server import Server, a_server

CONFIG = """
[[sources]]
type = "http-json"
name = "acd"
url = "http://127.0.0.1:9/live"
interval_seconds = 3600
bearer_token = "t0p-secret"
mapping = { queue_from = "q", metrics = { backlog = "w" } }
"""
NUMBER = "+1 555 0100 100"
PATH, OK, FORBIDDEN, INVALID = "/sources/try", 200, 403, 422


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("try")
    (folder / "holdfire.toml").write_text(CONFIG)
    with a_server(folder, auth="on", HOLDFIRE_CONFIG=str(folder / "holdfire.toml")) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx2.Client]:
    with signed_in(server, "workforce") as opened:
        yield opened


def test_the_example_works_as_it_stands(client):
    page = client.get(PATH)
    assert page.status_code == OK
    assert "t0p-secret" not in page.text
    assert '<option value="acd">' in page.text
    assert f'href="{PATH}"' in client.get("/sources").text


def test_a_sample_is_read_by_a_configured_source_and_nothing_is_stored(client):
    sample = f'[{{"q": "orders<b>", "w": 3}}, {{"q": "billing", "w": "{NUMBER}"}}]'
    page = client.post(PATH, data={"source": "acd", "sample": sample})
    assert page.status_code == OK
    assert "1 value of 1 queue would come in; 1 row would be rejected." in page.text
    assert '<th scope="row">orders&lt;b&gt;</th>' in page.text
    result = page.text.partition('id="result"')[2].partition("</section>")[0]
    assert "what w gives is a text, not a number" in result
    assert NUMBER not in result
    queues = client.get("/sources/acd").text
    assert "orders" not in queues


def test_a_table_of_ones_own_is_read_in_a_process_beside(client):
    table = 'type = "http-json"\nmapping = { queue = "one", metrics = { backlog = "length(calls)" } }'
    page = client.post(PATH, data={"source": "", "table": table, "sample": '{"calls": [1, 2, 3]}'})
    assert "1 value of 1 queue would come in." in page.text


def test_of_many_rows_the_first_ones_are_shown(client):
    rows = ",".join(f'{{"q": "queue-{number}", "w": {number}}}' for number in range(300))
    page = client.post(PATH, data={"source": "acd", "sample": f"[{rows}]"})
    assert "300 values of 300 queues would come in." in page.text
    assert "Only the first 200 of each are shown." in page.text
    assert "queue-199</th>" in page.text
    assert "queue-200</th>" not in page.text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "acd", "sample": ""}, "paste what the system says"),
        ({"source": "acd", "sample": "{"}, "the answer is not JSON"),
        ({"table": "x", "sample": "{}"}, "is not TOML"),
        ({"source": "x", "sample": "{}"}, "that can be tried on a sample"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_typed_is_lost(client, data, said):
    page = client.post(PATH, data=data)
    assert page.status_code == INVALID
    assert said in page.text
    assert "It was not read" in page.text


def test_who_may_not_change_limits_may_not_try(server):
    with signed_in(server, "marketer") as marketer:
        assert marketer.get(PATH).status_code == FORBIDDEN
        assert PATH not in marketer.get("/sources").text


def test_without_the_token_of_the_form_nothing_is_read(server, client):
    with httpx2.Client(base_url=server.url, cookies=client.cookies) as bare:
        assert bare.get(PATH).status_code == OK
        assert bare.post(PATH, data={"source": "acd", "sample": "[]"}).status_code == FORBIDDEN
