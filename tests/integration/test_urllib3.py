"""Real urllib3 with the Retry that the how-to gives, for GET and POST: it waits, and sends on a go only."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import urllib3

from tests.support.answers import FAULTS, GARBAGE, HOLD, SEND, UNKNOWN, a_scripted, nobody
from tests.support.senders import open_gate, save_policy, tell, wait_for_gate
from tests.support.server import a_server

QUESTION = {"gate": "default", "audience": "500000"}
PLACES = {"GET": "/api/v1/readiness", "POST": "/api/v1/permits"}


def ask(url, method="GET", total=1, timeout=30):
    """Ask as the how-to does and return the response. Raises what urllib3 raises."""
    retry = urllib3.Retry(
        total=total,
        status_forcelist=(429, 503),
        allowed_methods=("GET", "POST"),
        respect_retry_after_header=True,
        redirect=False,
        backoff_factor=0.1,
    )
    question = {"fields": QUESTION} if method == "GET" else {"json": {"gate": "default", "audience": 500_000}}
    with urllib3.PoolManager() as pool:
        return pool.request(method, url + PLACES[method], retries=retry, timeout=timeout, **question)


def sends(url, method="GET", total=1, timeout=30):
    """Tell whether a program that follows the how-to would send."""
    try:
        answer = ask(url, method, total, timeout)
        return answer.status == 200 and answer.json().get("proceed") is True
    except (urllib3.exceptions.HTTPError, ValueError):
        return False


@pytest.mark.parametrize("method", PLACES)
def test_nothing_is_sent_on_anything_but_a_go(method):
    with ExitStack() as stack, ThreadPoolExecutor(20) as pool:
        urls = {name: stack.enter_context(a_scripted(answer)).url for name, answer in (FAULTS | GARBAGE).items()}
        urls |= {"refused": stack.enter_context(nobody())}
        sent = dict(zip(urls, pool.map(lambda url: sends(url, method, timeout=1), urls.values()), strict=True))
        assert [name for name, was_sent in sent.items() if was_sent] == []
        assert sends(stack.enter_context(a_scripted(SEND)).url, method)


@pytest.mark.parametrize("method", PLACES)
def test_it_waits_out_holds_as_long_as_they_say(method):
    with a_scripted(HOLD, UNKNOWN, SEND) as server:
        assert sends(server.url, method, total=2)
    assert len(server.asked) == 3


def test_without_naming_post_a_hold_of_a_post_is_not_waited_out():
    with a_scripted(HOLD, SEND) as server:
        retry = urllib3.Retry(total=2, status_forcelist=(429, 503))
        answer = urllib3.request("POST", server.url + PLACES["POST"], json=QUESTION, retries=retry, timeout=30)
    assert (answer.status, len(server.asked)) == (429, 1)


@pytest.mark.parametrize("name", GARBAGE)
def test_who_trusts_the_status_alone_takes_what_is_no_go_for_one(name):
    with a_scripted(GARBAGE[name]) as server:
        assert ask(server.url).status < 300


def test_a_real_holdfire_is_obeyed(tmp_path):
    with a_server(tmp_path) as server, server.client() as client:
        save_policy(client)
        assert not sends(server.url, total=0)
        tell(client, backlog=500)
        wait_for_gate(client, "hold")
        assert not any(sends(server.url, method, total=0) for method in PLACES)
        open_gate(server, rules=[{"metric": "backlog", "hold_above": 1_000}])
        assert all(sends(server.url, method, total=0) for method in PLACES)
    assert not sends(server.url, total=0)
