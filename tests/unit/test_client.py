"""The Python client: what it asks, what it believes, how long it waits. Blocking and asyncio do the same."""

import asyncio
import inspect
import json
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.client import Answer, AsyncHoldfire, Holdfire, NotCleared, Permit, Unanswered
from app.client import talks as talks_module

URL = "http://holdfire.test/base"
SEND = {"decision": "send", "proceed": True, "gate": "default", "decision_id": "dec_1", "allow": None, "summary": "ok"}
HOLD = SEND | {"decision": "hold", "proceed": False, "allow": 0, "retry_after_seconds": 20, "state": "hold"}
GRANT = SEND | {"allow": 500, "requested": 500, "permit_id": "prm_1", "permit_expires_at": "2026-11-21T16:00:00Z"}
PERMIT = {
    "id": "prm_1",
    "state": "active",
    "must_stop": False,
    "allow": 500,
    "sent": 7,
    "granted_at": "2026-11-21T15:00:00Z",
    "expires_at": "2026-11-21T16:00:00Z",
}


class Raw(NamedTuple):
    """A reply that is not simply a 200 with JSON."""

    status: int
    content: Any = b""
    headers: Mapping[str, str] = MappingProxyType({})

    def response(self):
        content = self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        return httpx2.Response(self.status, content=content, headers=dict(self.headers))


class Play:
    """Carries one method of either client out against replies, and notes what was asked and how long was slept."""

    def __init__(self, kind, *replies, key=None, **options):
        self.kind, self.replies, self.key, self.options = kind, list(replies), key, options
        self.asked, self.slept, self.now = [], [], 0.0

    def __call__(self, method, *arguments, **options):
        if self.kind is Holdfire:
            with Holdfire(URL, self.key, **self._wiring(httpx2.MockTransport(self._answer), self._sleep)) as holdfire:
                return getattr(holdfire, method)(*arguments, **options)
        return asyncio.run(self._call(method, *arguments, **options))

    async def _call(self, method, *arguments, **options):
        async def sleep(seconds):
            self._sleep(seconds)

        async with AsyncHoldfire(URL, self.key, **self._wiring(httpx2.MockTransport(self._answer), sleep)) as holdfire:
            return await getattr(holdfire, method)(*arguments, **options)

    def _wiring(self, transport, sleep):
        return {"transport": transport, "sleep": sleep} | self.options

    def _sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def _answer(self, request):
        self.asked.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        if not isinstance(reply, Raw | httpx2.Response):
            reply = Raw(200, reply)
        return reply if isinstance(reply, httpx2.Response) else reply.response()


@pytest.fixture(params=[Holdfire, AsyncHoldfire], ids=["blocking", "asyncio"])
def play(request):
    return lambda *replies, **options: Play(request.param, *replies, **options)


def held(status=429, body=HOLD, **headers):
    return Raw(status, body, headers)


# --- what is asked ---


def test_the_whole_question_is_asked_below_the_servers_address_with_the_key(play):
    played = play(SEND | {"campaign": "spring", "requested": 500, "allow": 500}, key="hf_live_a_b")
    played("ready", "default", 500, "spring", accept_partial=True)
    (request,) = played.asked
    assert str(request.url) == f"{URL}/api/v1/readiness?gate=default&campaign=spring&audience=500&accept_partial=true"
    assert request.headers["authorization"] == "Bearer hf_live_a_b"


def test_names_cannot_leave_their_place_in_the_path(play):
    played = play(PERMIT | {"id": "../keys?x"})
    played("permit_state", "../keys?x")
    assert played.asked[0].url.raw_path == b"/base/api/v1/permits/..%2Fkeys%3Fx"


def test_a_permit_is_asked_for_with_everything_that_was_given(play):
    played = play(GRANT | {"campaign": "spring"})
    played("permit", "default", 500, "spring", accept_partial=True, ttl_seconds=60, idempotency_key="k-1")
    (request,) = played.asked
    assert json.loads(request.content) == {
        "gate": "default",
        "audience": 500,
        "campaign": "spring",
        "accept_partial": True,
        "ttl_seconds": 60,
    }
    assert request.headers["idempotency-key"] == '"k-1"'


@pytest.mark.parametrize("url", ["holdfire.test", "ftp://holdfire.test", "http://", "http://[::1"])
def test_a_url_that_is_none_is_refused_at_once(url):
    with pytest.raises(ValueError, match="url="):
        Holdfire(url)


@pytest.mark.parametrize("key", ["", "hf_live\n", "hf live", "hf_ключ"])
def test_a_key_that_cannot_travel_is_refused_at_once(key):
    with pytest.raises(ValueError, match="key"):
        AsyncHoldfire("http://h", key)


def test_an_idempotency_key_that_cannot_travel_is_refused_before_anything_is_asked(play):
    played = play(GRANT)
    with pytest.raises(ValueError, match="idempotency_key"):
        played("permit", "default", 500, idempotency_key='a"b')
    assert played.asked == []


def test_both_clients_offer_the_same_methods_with_their_talks_parameters():
    for name in ("ready", "campaign_gate", "wait_until_clear", "permit", "permit_state", "report", "renew", "release"):
        talk = inspect.signature(getattr(talks_module, name))
        for kind in (Holdfire, AsyncHoldfire):
            method = getattr(kind, name)
            assert list(inspect.signature(method).parameters) == ["self", *talk.parameters]
            assert method.__doc__ == getattr(talks_module, name).__doc__


# --- what is believed ---


def test_a_go_is_true_and_nothing_else_is(play):
    assert play(SEND)("ready", "default")
    assert not play(held())("ready", "default")


@pytest.mark.parametrize(
    ("status", "members", "state"),
    [
        (429, {}, "hold"),
        (503, {"state": "unknown"}, "unknown"),
        (429, {"decision": "throttle", "state": "throttle", "allow": 5}, "throttle"),
        (200, {}, "hold"),
        (404, {}, "hold"),
        (503, {}, "hold"),
        (429, {"state": "unknown"}, "unknown"),
    ],
)
def test_a_hold_is_one_whatever_status_the_keys_profile_gives_it(play, status, members, state):
    answer = play(held(status, HOLD | members))("ready", "default")
    assert (answer.state, answer.proceed, answer.retry_after_seconds) == (state, False, 20)


def test_a_hold_for_asking_too_often_is_one_though_no_gate_was_looked_at(play):
    too_often = {"decision": "hold", "proceed": False, "decision_id": None, "retry_after_seconds": 2, "summary": "slow"}
    played = play(Raw(429, too_often, {"Retry-After": "2000"}), SEND)
    assert wait(played)
    assert 2 <= played.slept[0] <= 2.2


def test_a_gate_that_only_watches_lets_go_what_it_would_hold(play):
    assert play(SEND | {"state": "hold", "mode": "shadow"})("ready", "default").state == "send"


@pytest.mark.parametrize(
    "reply",
    [
        Raw(200, b"<html>proxy login</html>"),
        Raw(200, b'{"decision":"send","proc'),
        Raw(200, json.dumps(SEND).encode() + b"}"),
        Raw(200, b"[" * 100_000),
        Raw(200, b" " * (1 << 20) + json.dumps(SEND).encode()),
        [SEND],
        {},
        {"decision": "send"},
        SEND | {"proceed": 1},
        SEND | {"proceed": "true"},
        SEND | {"proceed": False},
        SEND | {"decision": "hold"},
        SEND | {"decision": "go"},
        SEND | {"state": "unknown"},
        SEND | {"gate": "other"},
        SEND | {"decision_id": None},
        SEND | {"campaign": "spring", "gate": None},
        SEND | {"allow": 0},
        SEND | {"allow": "all"},
        SEND | {"allow": True},
        SEND | {"decision": "throttle", "allow": 5},
        Raw(200, SEND, {"Holdfire-Decision": "hold"}),
        Raw(200, SEND, {"Age": "60"}),
        Raw(200, SEND, {"Age": "9" * 5_000}),
        Raw(200, SEND, {"Age": "-1"}),
        Raw(201, SEND),
        Raw(202, SEND),
        Raw(204),
        Raw(302, b"", {"Location": "/elsewhere"}),
        Raw(302, SEND, {"Location": "/elsewhere"}),
        Raw(401, {"detail": "no key was sent"}),
        Raw(429, SEND),
        Raw(503, SEND),
        Raw(500, SEND),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut off"),
    ],
    ids=str,
)
def test_what_is_not_wholly_holdfires_answer_is_none(play, reply):
    with pytest.raises(Unanswered):
        play(reply)("ready", "default")


@pytest.mark.parametrize(
    "members",
    [
        {"requested": None, "allow": 500},
        {"requested": 5, "allow": 500},
        {"requested": 500, "allow": None},
        {"requested": 500, "allow": 499},
        {"requested": 500, "allow": 501},
        {"requested": 500, "allow": 500, "campaign": "summer"},
    ],
    ids=str,
)
def test_an_answer_to_another_question_is_none(play, members):
    with pytest.raises(Unanswered):
        play(SEND | {"campaign": "spring"} | members)("ready", "default", 500, "spring")


def test_a_part_may_go_for_who_asked_for_it_and_never_more_than_that(play):
    part = SEND | {"decision": "throttle", "requested": 500, "allow": 20}
    assert play(part)("ready", "default", 500, accept_partial=True).allow == 20
    with pytest.raises(Unanswered):
        play(part)("ready", "default", 500)
    with pytest.raises(Unanswered):
        play(part | {"allow": 501})("ready", "default", 500, accept_partial=True)


def test_a_refusal_says_why_and_what_is_at_fault(play):
    problem = {"detail": "the question is wrong", "errors": [{"pointer": "/audience", "detail": "must be positive"}]}
    with pytest.raises(Unanswered, match="status 422: the question is wrong; /audience: must be positive") as caught:
        play(Raw(422, problem))("ready", "default")
    assert caught.value.lasting


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    status=st.sampled_from([200, 200, 200, 202, 404, 429, 503]),
    members=st.dictionaries(st.sampled_from(sorted(SEND)), json_values, max_size=3),
    missing=st.sets(st.sampled_from(sorted(SEND)), max_size=2),
)
def test_whatever_comes_reads_as_go_only_if_it_is_a_200_that_says_so(status, members, missing):
    body = {name: value for name, value in (SEND | members).items() if name not in missing}
    with suppress(Unanswered):
        if Play(Holdfire, Raw(status, body))("ready", "default"):
            assert (status, body["decision"], body["proceed"], body["gate"]) == (200, "send", True, "default")


# --- waiting ---


def wait(played, timeout=3600):
    return played("wait_until_clear", "default", timeout=timeout, monotonic=lambda: played.now)


def test_waiting_asks_again_when_the_answers_say_and_a_little_later_at_random(play):
    played = play(held(), held(503, HOLD | {"retry_after_seconds": 7}), SEND)
    assert wait(played)
    first, second = played.slept
    assert 20 <= first <= 22
    assert 7 <= second <= 7.7


def test_the_body_says_how_long_to_wait_where_the_header_counts_milliseconds(play):
    played = play(held(429, HOLD, **{"Retry-After": "20000"}), SEND)
    wait(played)
    assert 20 <= played.slept[0] <= 22


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("5", 5, 5.5),
        ("900", 300, 300),
        ("soon", 10, 11),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 10, 11),
        ("Mon, 01 Jan 1990 00:00:00 GMT", 0, 0),
        ("Mon, 01 Jan 2990 00:00:00 GMT", 300, 300),
    ],
)
def test_without_a_body_retry_after_is_read_in_both_its_forms_and_capped(play, value, least, most):
    played = play(Raw(503, b"<html>", {"Retry-After": value}), SEND)
    wait(played)
    assert least <= played.slept[0] <= most


@pytest.mark.parametrize("seconds", [-5, 0, True, "7", None, 10**400])
def test_a_pause_that_is_none_is_not_taken(play, seconds):
    played = play(held(429, HOLD | {"retry_after_seconds": seconds}), SEND)
    wait(played)
    assert 1 <= played.slept[0] <= 300


@pytest.mark.parametrize("fault", [httpx2.ConnectError("refused"), httpx2.ReadTimeout("slow"), Raw(502)])
def test_waiting_outlasts_a_server_that_is_away(play, fault):
    played = play(fault, fault, SEND)
    assert wait(played)
    assert len(played.slept) == 2


def test_waiting_ends_at_once_where_it_cannot_help(play):
    played = play(Raw(403, {"detail": "the scope is missing"}))
    with pytest.raises(Unanswered, match="the scope is missing"):
        wait(played)
    assert played.slept == []


def test_when_the_time_is_over_waiting_ends_with_the_last_answer_and_asks_once_more_right_then(play):
    played = play(held())
    with pytest.raises(NotCleared, match="ok") as caught:
        wait(played, timeout=30)
    assert isinstance(caught.value.last, Answer)
    assert caught.value.last.state == "hold"
    assert sum(played.slept) == 30
    assert len(played.asked) == len(played.slept) + 1


def test_who_watches_hears_of_each_answer_and_pause(play):
    told = []
    played = play(httpx2.ConnectError("refused"), held(), SEND)
    played("wait_until_clear", "default", timeout=3600, watch=lambda last, pause: told.append((type(last), pause)))
    assert [kind.__name__ for kind, _ in told] == ["Unanswered", "Answer"]
    assert [pause for _, pause in told] == played.slept


# --- permits ---


def keys(played):
    return {request.headers["idempotency-key"] for request in played.asked}


def test_a_grant_brings_its_permit(play):
    answer = play(GRANT)("permit", "default", 500)
    assert (answer.proceed, answer.permit_id, answer.allow) == (True, "prm_1", 500)
    assert answer.expires_at.isoformat() == "2026-11-21T16:00:00+00:00"


@pytest.mark.parametrize("missing", ["permit_id", "permit_expires_at"])
def test_a_grant_without_its_permit_is_none(play, missing):
    with pytest.raises(Unanswered, match="grants without a permit"):
        play(GRANT | {missing: None})("permit", "default", 500)


def test_a_dry_run_says_what_would_be_granted_and_has_no_permit(play):
    played = play(SEND | {"allow": 500, "requested": 500})
    answer = played("permit", "default", 500, dry_run=True)
    assert (answer.proceed, answer.permit_id) == (True, None)
    assert json.loads(played.asked[0].content)["dry_run"] is True


def test_a_refused_ask_is_an_answer_and_not_repeated(play):
    played = play(held(429, HOLD | {"requested": 500}))
    answer = played("permit", "default", 500)
    assert (answer.proceed, answer.permit_id, len(played.asked)) == (False, None, 1)


@pytest.mark.parametrize(
    "lost",
    [
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut off"),
        Raw(502),
        Raw(503, {"detail": "it could not be written down"}, {"Retry-After": "5"}),
        Raw(409, {"detail": "it is being settled"}),
    ],
    ids=str,
)
def test_a_lost_answer_is_asked_for_again_under_the_same_key(play, lost):
    played = play(lost, lost, GRANT)
    assert played("permit", "default", 500)
    assert len(played.asked) == 3
    assert len(keys(played)) == 1
    assert len({request.content for request in played.asked}) == 1


def test_two_asks_have_two_keys(play):
    played = play(GRANT)
    played("permit", "default", 500)
    played("permit", "default", 500)
    assert len(keys(played)) == 2


def test_a_permit_that_cannot_be_had_is_given_up_after_four_asks(play):
    played = play(httpx2.ReadTimeout("slow"))
    with pytest.raises(Unanswered, match="slow"):
        played("permit", "default", 500)
    assert len(played.asked) == 4
    assert len(keys(played)) == 1


def test_what_is_refused_for_good_is_asked_once(play):
    played = play(Raw(422, {"detail": "audience is required"}))
    with pytest.raises(Unanswered, match="audience is required"):
        played("permit", "default", 500)
    assert len(played.asked) == 1


@pytest.mark.parametrize(
    ("members", "must_stop"),
    [
        ({}, False),
        ({"must_stop": True}, True),
        ({"must_stop": None}, True),
        ({"must_stop": 0}, True),
        ({"state": "paused"}, True),
        ({"state": "expired"}, True),
        ({"state": "used"}, True),
    ],
)
def test_a_permit_must_stop_unless_it_plainly_need_not(play, members, must_stop):
    permit = play(PERMIT | members)("permit_state", "prm_1")
    assert isinstance(permit, Permit)
    assert (permit.must_stop, permit.allow, permit.sent) == (must_stop, 500, 7)


@pytest.mark.parametrize(
    "reply",
    [
        PERMIT | {"id": "prm_2"},
        PERMIT | {"state": "fine"},
        PERMIT | {"sent": None},
        PERMIT | {"expires_at": "tomorrow"},
        PERMIT | {"expires_at": "2026-11-21T16:00:00"},
        {},
        [],
        Raw(202, PERMIT),
        Raw(404, {"detail": "there is no permit"}),
    ],
    ids=str,
)
def test_what_does_not_say_how_a_permit_stands_is_no_answer(play, reply):
    with pytest.raises(Unanswered):
        play(reply)("permit_state", "prm_1")


@pytest.mark.parametrize(("method", "arguments"), [("report", ("prm_1", 7)), ("release", ("prm_1",))])
def test_reports_and_releases_are_repeated_until_they_are_heard(play, method, arguments):
    played = play(httpx2.ReadTimeout("slow"), PERMIT)
    assert played(method, *arguments).id == "prm_1"
    assert [request.url.path for request in played.asked] == [f"/base/api/v1/permits/prm_1/{method}"] * 2


def test_a_report_says_the_total(play):
    played = play(PERMIT)
    played("report", "prm_1", 7)
    assert json.loads(played.asked[0].content) == {"sent": 7}


def test_a_renewal_that_the_gate_refuses_is_not_repeated(play):
    played = play(held())
    with pytest.raises(Unanswered) as caught:
        played("renew", "prm_1", 60)
    assert (caught.value.status, len(played.asked)) == (429, 1)
    assert json.loads(played.asked[0].content) == {"ttl_seconds": 60}


def test_a_campaigns_gate_is_the_answer_for_its_open_wave(play):
    played = play(SEND | {"campaign": "spring", "requested": 200, "allow": 200})
    assert played("campaign_gate", "spring").allow == 200
    assert played.asked[0].url.path == "/base/api/v1/campaigns/spring/gate"
    with pytest.raises(Unanswered):
        play(SEND | {"campaign": "summer"})("campaign_gate", "spring")


# --- time ---


def test_an_answer_that_drips_in_is_given_up_after_the_timeout():
    class Drip(httpx2.AsyncByteStream):
        async def __aiter__(self):
            for byte in json.dumps(SEND):
                await asyncio.sleep(0.01)
                yield byte.encode()

    played = Play(AsyncHoldfire, httpx2.Response(200, stream=Drip()), timeout=0.1)
    with pytest.raises(Unanswered, match="no whole answer within"):
        played("ready", "default")


@pytest.mark.parametrize("raw", [b'"allow":Infinity', b'"allow":NaN', b'"sent":1e999', b'"allow":[]'])
def test_a_permit_of_impossible_numbers_is_none(play, raw):
    name = raw.split(b":")[0].decode().strip('"')
    whole = json.dumps({key: value for key, value in PERMIT.items() if key != name}).encode()
    with pytest.raises(Unanswered, match="it is no permit"):
        play(Raw(200, whole[:-1] + b"," + raw + b"}"))("permit_state", "prm_1")
