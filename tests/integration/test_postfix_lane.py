"""One rule's mail against a whole holdfire: what passes was permitted, is reported, and stops when the gate does."""

import asyncio
import errno
import logging
import resource
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest

from app.client import AsyncHoldfire
from app.core.permit.permit import PermitState
from app.postfix.allowance import Grant
from app.postfix.desk import Desk
from app.postfix.lane import Lane, Ruling
from app.postfix.protocol import DUNNO, Question, deferral
from app.postfix.rules import Rule, Terms
from app.postfix.watching import Watch
from tests.support.answers import FAULTS, GARBAGE, SEND, a_scripted, nobody, said
from tests.support.whole import a_whole

PATIENCE_SECONDS = 60
DEFER = deferral("busy")


class Gated:
    """A whole holdfire, and a lane of its gate. Its stopwatch stands, however slow the machine: no data is stale."""

    def __init__(self, whole, holdfire):
        self.whole, self.holdfire = whole, holdfire
        services = whole.services
        services.answering._monotonic = lambda: services.evaluator.published.monotonic_seconds

    def lane(self, *, wave=20, gap=0.0, **more):
        terms = Terms("default", None, wave, gap)
        return Lane("news", terms, self.holdfire, ask_seconds=0.05, look_seconds=0.05, **more)

    async def slam(self):
        await self.whole.evaluate(seconds=1)
        await self.whole.slam()

    async def clear(self):
        await self.whole.evaluate(seconds=1)
        await self.whole.quiet()

    async def permits(self):
        return await self.whole.services.permits.page()


@pytest.fixture
async def gated(tmp_path):
    async with a_whole(tmp_path, auth="off") as whole:
        transport = httpx2.ASGITransport(app=whole)
        async with AsyncHoldfire("http://127.0.0.1", transport=transport) as holdfire:
            yield Gated(whole, holdfire)


@asynccontextmanager
async def closing(lane):
    try:
        yield lane
    finally:
        await lane.close()


async def until(look, what):
    """Return what look() gives once that is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := await look()):
        assert time.monotonic() < deadline, f"waited for {what}"
        await asyncio.sleep(0.02)
    return seen


async def passed(lane, messages, recipients=1):
    """Return how many of so many messages at once pass."""
    rulings = await asyncio.gather(*(lane.rule_on(recipients) for _ in range(messages)))
    return rulings.count(Ruling.PASS)


async def test_what_passes_is_reported_and_the_rest_is_given_back(gated):
    async with closing(gated.lane()) as lane:
        assert await passed(lane, 7) == 7
        assert await passed(lane, 2, recipients=4) == 2
    (permit,) = await gated.permits()
    assert (permit.state, permit.allowed, permit.sent) == (PermitState.RELEASED, 20, 15)


async def test_no_more_passes_than_the_permit_and_the_rest_waits_for_the_next_wave(gated):
    async with closing(gated.lane(gap=3600)) as lane:
        assert await passed(lane, 50) == 20
        assert await passed(lane, 5) == 0
    (permit,) = await gated.permits()
    assert (permit.state, permit.sent) == (PermitState.USED, 20)


async def test_waves_follow_each_other_within_what_the_policy_allows(gated):
    await gated.whole.policy(max_audience_per_hour=50)
    async with closing(gated.lane()) as lane:
        assert sum([await passed(lane, 1) for _ in range(200)]) == 50
    permits = await gated.permits()
    assert sorted(permit.sent for permit in permits) == [10, 20, 20]
    assert {permit.state for permit in permits} == {PermitState.USED}


async def test_nothing_passes_while_the_gate_holds_and_after_that_a_small_wave_first(gated):
    await gated.slam()
    async with closing(gated.lane()) as lane:
        assert await passed(lane, 30) == 0
        await gated.clear()

        async def opens():
            return await lane.rule_on(1) is Ruling.PASS

        await until(opens, "the lane to open")
    (permit,) = await gated.permits()
    assert permit.allowed == 2


async def test_a_gate_that_closes_stops_what_is_on_its_way_within_seconds(gated):
    async with closing(gated.lane(wave=1000, gap=3600)) as lane:
        assert await passed(lane, 10) == 10
        await gated.slam()

        async def is_shut():
            return await lane.rule_on(1) is Ruling.DEFER

        await until(is_shut, "the lane to shut")
        assert await passed(lane, 10) == 0
        (permit,) = await until(gated.permits, "a permit")
        assert permit.sent >= 10


async def test_a_revoked_permit_lets_nothing_pass_and_what_passed_is_booked(gated):
    async with closing(gated.lane(wave=100, gap=3600)) as lane:
        assert await passed(lane, 3) == 3
        (permit,) = await gated.permits()
        async with gated.whole.client("policies", "permits") as client:
            (await client.post(f"/api/v1/permits/{permit.id}/revoke", json={"reason": "stop"})).raise_for_status()

        async def is_shut():
            return await lane.rule_on(1) is Ruling.DEFER

        await until(is_shut, "the lane to shut")
    (permit,) = await gated.permits()
    assert permit.state is PermitState.REVOKED
    assert 3 <= permit.sent <= 100


async def test_a_message_larger_than_the_rest_of_a_wave_goes_with_a_permit_of_its_own(gated):
    async with closing(gated.lane()) as lane:
        assert await passed(lane, 1, recipients=15) == 1
        assert await passed(lane, 1, recipients=30) == 1
    small, large = sorted(await gated.permits(), key=lambda each: each.allowed)
    assert (small.state, small.sent) == (PermitState.RELEASED, 15)
    assert (large.state, large.sent) == (PermitState.USED, 30)


async def test_two_lanes_of_one_gate_share_what_it_allows(gated):
    await gated.whole.policy(max_audience_per_wave=30)
    async with closing(gated.lane(gap=3600)) as one, closing(gated.lane(gap=3600)) as other:
        assert sum(await asyncio.gather(passed(one, 40), passed(other, 40))) == 30


# --- what is not an answer --------------------------------------------------------------------------------------------

NO_GO = FAULTS | GARBAGE | {"another gate": said(200, "send", gate="other"), "no permit": SEND}


@pytest.mark.parametrize("passes_unasked", [False, True])
async def test_no_fault_of_an_answer_lets_anything_pass(passes_unasked):
    async def try_one(name, reaction):
        with a_scripted(reaction) as server:
            async with AsyncHoldfire(server.url, timeout=0.5) as holdfire:
                lane = Lane(
                    *(name, Terms("default"), holdfire),
                    answer_seconds=0.4,
                    ask_seconds=0.1,
                    passes_unasked=passes_unasked,
                    unreachable_seconds=0,
                )
                async with closing(lane):
                    assert await passed(lane, 5) == 0, name
                    await asyncio.sleep(0.2)
                    assert await passed(lane, 5) == 0, name
            assert server.asked, name

    await asyncio.gather(*(try_one(name, reaction) for name, reaction in NO_GO.items()))


async def test_where_nobody_answers_the_operator_decides_and_the_log_says_so(caplog):
    async def ruling(url, *, passes_unasked):
        async with AsyncHoldfire(url) as holdfire:
            name = "open" if passes_unasked else "closed"
            lane = Lane(
                *(name, Terms("default"), holdfire),
                answer_seconds=20,
                passes_unasked=passes_unasked,
                unreachable_seconds=0,
            )
            async with closing(lane):
                return await lane.rule_on(3)

    with nobody() as url:
        closed, opened = await asyncio.gather(ruling(url, passes_unasked=False), ruling(url, passes_unasked=True))
    assert (closed, opened) == (Ruling.DEFER, Ruling.PASS)
    told = [vars(each) for each in caplog.records if each.message == "postfix_policy_unanswered"]
    assert {each["levelno"] for each in told} == {logging.WARNING}
    assert {each["rule"]: each["bulk_mail"] for each in told} == {"closed": "is deferred", "open": "PASSES UNASKED"}


async def test_too_many_open_files_are_no_reason_to_pass():
    with nobody() as url:
        async with AsyncHoldfire(url, sleep=lambda _: asyncio.sleep(0)) as holdfire:
            lane = Lane(
                *("news", Terms("default"), holdfire), answer_seconds=20, passes_unasked=True, unreachable_seconds=0
            )
            async with closing(lane):
                most = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.setrlimit(resource.RLIMIT_NOFILE, (0, most[1]))
                try:
                    assert await lane.rule_on(1) is Ruling.DEFER
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, most)


async def test_mail_does_not_wait_again_for_a_holdfire_that_did_not_answer():
    with a_scripted(FAULTS["slow"]) as server:
        async with AsyncHoldfire(server.url, timeout=0.3) as holdfire:
            lane = Lane("news", Terms("default"), holdfire, answer_seconds=0.3)
            async with closing(lane):
                began = time.monotonic()
                for _ in range(20):
                    assert await lane.rule_on(1) is Ruling.DEFER
                assert time.monotonic() - began < 5  # not twenty times 0.3 s


# --- a permit in use --------------------------------------------------------------------------------------------------


class Using:
    """A permit as a lane uses it, by a clock that stands until a test moves it."""

    def __init__(self, permit_id, allow=20):
        self.id, self.allow, self.now, self.passed, self.idle_for, self.seen = permit_id, allow, 1000.0, 0, 0.0, []

    def current(self):
        return Grant(self.id, self.allow, self.now, self.now + 60, self.now - self.idle_for, self.passed)

    def note(self, at, usable_until=None):
        self.seen.append((at, usable_until))


@asynccontextmanager
async def watched(gated):
    """Yield a permit that is watched, and the watch's end."""
    answer = await gated.holdfire.permit("default", 20, ttl_seconds=120)
    using = Using(answer.permit_id)
    watch = Watch(gated.holdfire, using.id, using.current, using.note, 0.01, monotonic=lambda: using.now)
    over = asyncio.ensure_future(watch.until_over())
    try:
        yield using, over
    finally:
        over.cancel()


async def test_a_permit_in_use_is_reported_as_it_is_used_and_renewed_before_its_time_is_over(gated):
    async with watched(gated) as (using, over):
        using.passed = 7
        await until(lambda: reported(gated, 7), "what passed to be reported")
        await gated.whole.evaluate(seconds=30)
        using.now += 61
        await until(lambda: noted(using, (using.now, using.now + 120)), "the renewal")
        (permit,) = await gated.permits()
        assert permit.expires_at == gated.whole.clock.now() + timedelta(seconds=120)
        assert not over.done()


async def reported(gated, sent):
    (permit,) = await gated.permits()
    return permit.sent == sent


async def noted(using, what):
    return what in using.seen


async def test_a_permit_under_which_nothing_passes_is_given_up_without_a_stop(gated):
    async with watched(gated) as (using, over):
        using.idle_for = 31
        assert await over == ("nothing passes", False)


async def test_a_permit_that_is_not_known_to_stand_stops(gated):
    using = Using("prm_1")
    stale = Using("prm_1").current()
    unseen = Watch(gated.holdfire, "prm_1", lambda: stale, using.note, 0.01, monotonic=lambda: stale.seen_at + 5.1)
    assert await unseen.until_over() == ("it could not be looked at", True)
    gone = Watch(gated.holdfire, "prm_1", Using("prm_1").current, using.note, 0.01, monotonic=lambda: 1000.0)
    assert (await gone.until_over()).is_stop


# --- the desk ---------------------------------------------------------------------------------------------------------

RULES = (
    Rule("receipts", None, senders=("receipts@*",)),
    Rule("news", Terms("default", None, 20, 3600), senders=("*@shop.example",)),
)


def a_question(state="DATA", count=1, **more):
    return Question(state, **({"sender": "news@shop.example", "recipient_count": count, "instance": "i1"} | more))


async def test_transactional_mail_passes_while_the_gate_holds_and_asks_nothing(gated):
    await gated.slam()
    with nobody() as url:
        async with AsyncHoldfire(url) as holdfire, closing(Lane("news", Terms("default"), holdfire)) as lane:
            desk = Desk(RULES, {"news": lane}, "busy")
            assert await desk.answer(a_question(sender="receipts@shop.example")) == DUNNO
            assert await desk.answer(a_question(sender="anna@home.example")) == DUNNO
            assert lane._asking is None


async def test_a_message_that_is_asked_about_at_several_stages_counts_once(gated):
    async with closing(gated.lane(gap=3600)) as lane:
        desk = Desk(RULES, {"news": lane}, "busy")
        for recipient in ("a@x.example", "b@x.example", "b@x.example"):
            asked = a_question("RCPT", 0, recipient=recipient)
            assert await desk.answer(asked) == DUNNO
        assert await desk.answer(a_question("DATA", 2)) == DUNNO
        assert await desk.answer(a_question("END-OF-MESSAGE", 2)) == DUNNO
        assert await desk.answer(a_question("DATA", 2, instance="i2")) == DUNNO
    (permit,) = await gated.permits()
    assert permit.sent == 4


async def test_a_message_that_used_up_the_permit_passes_at_its_next_stage_and_counts_no_more(gated):
    now = [1_000.0]
    async with closing(gated.lane(wave=1, gap=3600, monotonic=lambda: now[0])) as lane:
        desk = Desk(RULES, {"news": lane}, "busy")
        assert await desk.answer(a_question("RCPT", 0, recipient="a@x.example")) == DUNNO

        async def is_used_up():
            return lane._allowance.grant is None

        await until(is_used_up, "the permit to be settled")
        assert await desk.answer(a_question("DATA", 1)) == DUNNO
        assert await desk.answer(a_question("DATA", 1, instance="i2")) == DEFER
        now[0] += 5.1  # nobody has looked at the gate for so long
        assert await desk.answer(a_question("END-OF-MESSAGE", 1)) == DEFER
    (permit,) = await gated.permits()
    assert (permit.state, permit.sent) == (PermitState.USED, 1)


async def test_bulk_mail_whose_recipients_cannot_be_told_is_deferred(gated):
    async with closing(gated.lane()) as lane:
        desk = Desk(RULES, {"news": lane}, "busy")
        for state, count in (("MAIL", 0), ("CONNECT", 0), ("DATA", 0), ("OTHER", 5)):
            assert await desk.answer(a_question(state, count)) == DEFER, state
        assert await desk.answer(a_question("DATA", 1)) == DUNNO


async def test_a_fault_of_ours_defers():
    assert await Desk(RULES, {}, "busy").answer(a_question()) == DEFER


async def test_an_outage_that_is_long_over_lets_nothing_pass_unasked():
    now, asked = [1_000.0], []
    hold = {"decision": "hold", "proceed": False, "state": "hold", "summary": "busy", "retry_after_seconds": 20}

    async def answer(request):
        asked.append(request)
        if now[0] < 2_000:
            raise httpx2.ConnectError("nobody", request=request) from OSError(errno.ECONNREFUSED, "refused")
        await asyncio.sleep(0.05)
        return httpx2.Response(200, json=hold)

    transport = httpx2.MockTransport(answer)
    async with AsyncHoldfire("http://127.0.0.1", transport=transport, sleep=lambda _: asyncio.sleep(0)) as holdfire:
        lane = Lane("news", Terms("default"), holdfire, passes_unasked=True, monotonic=lambda: now[0])
        async with closing(lane):
            assert await passed(lane, 3) == 0
            now[0] += 60
            assert await passed(lane, 3) == 3
            now[0] += 7_200
            assert await passed(lane, 3) == 0


async def test_a_holdfire_that_is_started_anew_lets_nothing_pass_unasked_meanwhile():
    now, there = [1_000.0], [True]
    hold = {"decision": "hold", "proceed": False, "state": "hold", "summary": "busy", "retry_after_seconds": 1}

    async def answer(request):
        if not there[0]:
            raise httpx2.ConnectError("nobody", request=request) from OSError(errno.ECONNREFUSED, "refused")
        return httpx2.Response(200, json=hold)

    transport = httpx2.MockTransport(answer)
    async with AsyncHoldfire("http://127.0.0.1", transport=transport, sleep=lambda _: asyncio.sleep(0)) as holdfire:
        lane = Lane("news", Terms("default"), holdfire, ask_seconds=1, passes_unasked=True, monotonic=lambda: now[0])
        async with closing(lane):
            for outage in (50, 50, 4_000):  # the last one may be several, for nobody asked in between
                there[0] = True
                now[0] += 30
                assert await passed(lane, 3) == 0
                there[0] = False
                for pause in (30, outage):
                    now[0] += pause
                    assert await passed(lane, 3) == 0
            now[0] += 59
            assert await passed(lane, 3) == 0
            now[0] += 11
            assert await passed(lane, 3) == 3
