"""Sending recorded payloads to a server that is busy, away, or refuses."""

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from app.commands.replay_remote import Remote, Unsent, retry_after_seconds
from tests.support.builders import NOW, a_contact, after, an_observation

PAGE: dict[str, object] = {"items": [], "next_cursor": None}


class Play:
    """A server that answers what it is told to, and a clock that sleeping moves."""

    def __init__(self, *answers, speed=1.0, key=None):
        self.answers, self.asked, self.slept = list(answers), [], []
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        transport = httpx2.MockTransport(self._answer)
        self.remote = Remote("http://h", key, speed, now=lambda: self.now, sleep=self._sleep, transport=transport)

    def _answer(self, request):
        if request.method == "GET":
            return httpx2.Response(200, json=PAGE)
        self.asked.append((self.now, request))
        answer = (
            self.answers.pop(0) if self.answers else {"accepted": len(lines(request)), "duplicates": 0, "rejected": []}
        )
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    async def _sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    async def send(self, *payloads):
        return await self.remote.send(payloads, lambda _: None)


def taken(count):
    return {"accepted": count, "duplicates": 0, "rejected": []}


def lines(request):
    return [json.loads(line) for line in request.content.splitlines()]


def instants(play, name="at"):
    return [(line["contact_id"], line[name]) for _, request in play.asked for line in lines(request)]


async def test_times_are_shifted_to_now_and_sent_when_they_have_come():
    play = Play(key="hf_live_x_y")
    replayed = await play.send(a_contact("queued", NOW), a_contact("answered", after(10)))
    start = datetime(2030, 1, 1, tzinfo=UTC)
    assert [at for _, at in instants(play)] == ["2030-01-01T00:00:00Z", "2030-01-01T00:00:10Z"]
    assert [sent_at - start for sent_at, _ in play.asked] == [timedelta(0), timedelta(seconds=10)]
    assert {request.headers["authorization"] for _, request in play.asked} == {"Bearer hf_live_x_y"}
    assert (replayed.accepted, replayed.first_at, replayed.last_at) == (2, start, start + timedelta(seconds=10))


async def test_speed_compresses_the_times_and_keeps_them_up_with_now():
    play = Play(speed=60)
    await play.send(a_contact("queued", NOW), a_contact("answered", after(600)))
    assert instants(play)[-1][1] == "2030-01-01T00:00:10Z"
    assert play.asked[-1][0] == datetime(2030, 1, 1, 0, 0, 10, tzinfo=UTC)


async def test_contacts_of_one_run_are_named_apart_from_those_of_another():
    play = Play()
    await play.send(a_contact("queued", NOW, "7.1"), a_contact("answered", after(1), "7.1"))
    first, second = (name for name, _ in instants(play))
    assert first == second != "7.1"


async def test_events_and_observations_go_where_they_belong():
    play = Play()
    await play.send(a_contact(), an_observation(agents_available=2))
    assert sorted(request.url.path for _, request in play.asked) == ["/api/v1/contacts", "/api/v1/observations"]
    (observation,) = [line for _, request in play.asked for line in lines(request) if "agents_available" in line]
    assert observation["observed_at"] == "2030-01-01T00:00:00Z"
    assert "backlog" not in observation


async def test_the_server_is_asked_again_when_it_says():
    busy = httpx2.Response(503, headers={"Retry-After": "7"})
    many = httpx2.Response(429, headers={"Retry-After": "Tue, 01 Jan 2030 00:00:10 GMT"})
    play = Play(busy, many)
    assert (await play.send(a_contact())).accepted == 1
    assert play.slept == [7, 3]


async def test_after_a_lost_connection_the_same_batch_is_sent_again():
    play = Play(
        {"accepted": 1, "duplicates": 0, "rejected": []}, httpx2.ConnectError("gone"), httpx2.ReadTimeout("slow")
    )
    replayed = await play.send(a_contact("queued", NOW), a_contact("answered", after(1)))
    assert replayed.accepted == 2
    assert [lines(request) for _, request in play.asked][1:] == [lines(play.asked[1][1])] * 3


async def test_a_server_that_cannot_be_reached_at_first_is_given_up_at_once():
    play = Play(httpx2.ConnectError("refused"))
    with pytest.raises(Unsent, match="http://h cannot be reached: refused"):
        await play.send(a_contact())


async def test_a_server_that_stays_busy_is_given_up_after_ten_minutes():
    play = Play(*[httpx2.Response(503, headers={"Retry-After": "900"})] * 3)
    with pytest.raises(Unsent, match="answered 503; given up after 600 s"):
        await play.send(a_contact())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (httpx2.Response(401, json={"detail": "the key is unknown"}), "answered 401: the key is unknown"),
        (httpx2.Response(200, text="<html>"), "answered 200: not as holdfire does"),
        (httpx2.Response(404, text=""), "answered 404: not as holdfire does"),
    ],
)
async def test_what_is_not_holdfires_answer_ends_it_with_a_sentence(answer, sentence):
    with pytest.raises(Unsent, match=sentence):
        await Play(answer).send(a_contact())


async def test_refused_items_are_counted_once_each_and_explained():
    fault = {"index": 0, "pointer": "/at", "detail": "too far ahead"}
    play = Play(
        {"accepted": 1, "duplicates": 0, "rejected": [fault, {**fault, "pointer": "/queue"}]},
        httpx2.Response(422, json={"detail": "nothing was accepted", "errors": [fault]}),
    )
    replayed = await play.send(a_contact("queued", NOW), a_contact("answered", after(1)))
    assert (replayed.accepted, replayed.rejected) == (1, 2)
    assert [problem.pointer for problem in replayed.rejections] == ["/at", "/queue", "/at"]


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, None), ("5", 5.0), ("soon", None), ("Mon, 01 Jan 1990 00:00:00 GMT", 0.0)]
)
def test_retry_after_is_read_in_both_its_forms(value, seconds):
    assert retry_after_seconds(value, datetime(2030, 1, 1, tzinfo=UTC)) == seconds
