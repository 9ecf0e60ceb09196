"""Permits are granted one after the other, and the kept sums are what the rows say."""

import asyncio
from dataclasses import replace

import pytest

from app.core.event import Actor, EventType
from app.core.gate.answer import Answered
from app.core.gate.decision import Verdict
from app.core.permit.permit import NOTHING_SPENT, Permit, PermitState, PermitStep, Spent
from app.core.permit.steps import granted, report, take
from app.errors import Invalid, NotDurable, NotFound
from app.ports.decisions import DecisionRow
from app.ports.permits import Grant, Granted, Held, PermitAsk, Repeat, Sending, SentMinute
from tests.support.builders import NOW, after
from tests.support.databases import a_store

ANN = Actor("key1", "ann")
HOUR = 3600.0
DIGEST, OTHER_DIGEST = b"1" * 32, b"2" * 32
REFUSED = Answered(Verdict.HOLD, 0, ())


@pytest.fixture
def permits(store):
    return store.permits


def a_permit(permit_id: str = "prm_1", allowed: int = 100, seconds: float = 0, **members) -> Permit:
    permit = Permit(
        permit_id, "default", None, "key1", f"dec_{permit_id}", allowed, allowed, PermitState.ACTIVE, after(seconds),
        after(seconds + HOUR),
    )  # fmt: skip
    return replace(permit, **members)


def a_grant(permit: Permit, body: bytes = b"{}") -> Grant:
    row = DecisionRow(permit.decision_id, "asked", permit.gate, permit.granted_at, "send", 1, "fine", status=200)
    return Grant(permit, row, (granted(permit, ANN),), body)


async def grant(permits, permit: Permit, key: str | None = None, digest: bytes = DIGEST, body: bytes = b"{}"):
    ask = PermitAsk(
        permit.gate, permit.campaign, permit.key_id, permit.granted_at, lambda *_: a_grant(permit, body), key, digest
    )
    return await permits.grant(ask)


async def look(permits, at: float = 0, gate: str = "default", campaign: str | None = None) -> tuple[Spent, Spent]:
    """Return what an ask that is refused gets to see."""
    seen: list[tuple[Spent, Spent]] = []

    def settle(of_gate: Spent, of_campaign: Spent) -> Answered:
        seen.append((of_gate, of_campaign))
        return REFUSED

    assert await permits.grant(PermitAsk(gate, campaign, "key1", after(at), settle)) == REFUSED
    return seen[0]


async def types(store) -> list[EventType]:
    """Return what happened to permits of the default gate, in order."""
    told = [written.event for written in reversed(await store.events.events(gate="default"))]
    return [event.type for event in told if event.subject.startswith("permit/")]


def reporting(sent: int, at: float):
    return lambda permit: report(permit, sent, ANN, after(at))


def stepping(step: PermitStep, at: float = 0):
    return lambda permit: take(permit, step, ANN, after(at), "because")


async def test_a_grant_is_read_back_whole_with_its_decision_and_its_event(permits, store):
    permit = a_permit(campaign="spring", wave=3, sent=7, reason="ü")
    assert await grant(permits, permit) == a_grant(permit)
    assert await permits.permit("prm_1") == permit
    assert (await store.decisions.decision("dec_prm_1")).status == 200
    assert await types(store) == [EventType.PERMIT_GRANTED]


async def test_a_refused_ask_leaves_nothing_behind(permits, store):
    await look(permits, campaign="spring")
    assert await permits.permits() == []
    assert await permits.spent(NOW) == {}
    assert await types(store) == []


async def test_each_ask_is_settled_on_the_sums_that_those_before_it_left(permits):
    seen: list[int] = []

    def settling(number: int):
        def settle(of_gate: Spent, of_campaign: Spent):
            seen.append(of_gate.outstanding)
            assert of_campaign.outstanding == of_gate.outstanding
            if of_gate.outstanding >= 1_000:
                return REFUSED
            return a_grant(a_permit(f"prm_{number:02}", campaign="spring"))

        return settle

    asks = (PermitAsk("default", "spring", "key1", NOW, settling(number)) for number in range(40))
    outcomes = await asyncio.gather(*map(permits.grant, asks))
    assert sum(isinstance(outcome, Grant) for outcome in outcomes) == 10
    assert seen == [min(100 * number, 1_000) for number in range(40)]
    assert (await permits.spent(NOW))["default"].outstanding == 1_000


async def test_an_ask_whose_settling_fails_spoils_no_other(permits):
    def fail(*_: Spent):
        raise NotFound("there is no gate 'default'")

    failing = permits.grant(PermitAsk("default", None, "key1", NOW, fail))
    asks = grant(permits, a_permit("prm_1")), failing, grant(permits, a_permit("prm_2"))
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Grant, NotFound, Grant]
    assert (await permits.spent(NOW))["default"].outstanding == 200


async def test_a_permit_that_cannot_be_stored_spoils_no_other_and_leaves_no_trace(permits, store):
    await grant(permits, a_permit("prm_1"))
    outcomes = await asyncio.gather(
        grant(permits, a_permit("prm_2")), grant(permits, a_permit("prm_1")), grant(permits, a_permit("prm_3")),
        return_exceptions=True,
    )  # fmt: skip
    assert isinstance(outcomes[1], NotDurable)
    assert [permit.id for permit in await permits.permits()] == ["prm_3", "prm_2", "prm_1"]
    assert (await permits.spent(NOW))["default"].outstanding == 300
    assert await types(store) == [EventType.PERMIT_GRANTED] * 3


async def test_a_caller_that_goes_away_takes_nothing_with_it(permits):
    asking = asyncio.ensure_future(grant(permits, a_permit("prm_1")))
    await asyncio.sleep(0)
    asking.cancel()
    await grant(permits, a_permit("prm_2"))
    assert (await permits.spent(NOW))["default"].outstanding == 200


# --- repeats ---


async def test_the_same_key_gives_the_earlier_answer_and_asks_nothing(permits):
    await grant(permits, a_permit("prm_1"), "k1", body=b'{"allow":100}')
    again = await grant(permits, a_permit("prm_2", seconds=5), "k1", OTHER_DIGEST)
    assert again == Repeat(DIGEST, "prm_1", b'{"allow":100}', NOW)
    assert [permit.id for permit in await permits.permits()] == ["prm_1"]


async def test_of_asks_at_once_under_one_key_one_is_granted(permits):
    asks = (grant(permits, a_permit(f"prm_{number}"), "k1") for number in range(8))
    outcomes = await asyncio.gather(*asks)
    (given,) = [outcome for outcome in outcomes if isinstance(outcome, Grant)]
    repeats = [outcome for outcome in outcomes if isinstance(outcome, Repeat)]
    assert {repeat.permit_id for repeat in repeats} == {given.permit.id}
    assert len(repeats) == 7


async def test_keys_are_each_askers_own(permits):
    await grant(permits, a_permit("prm_1"), "k1")
    assert isinstance(await grant(permits, a_permit("prm_2", key_id="key2"), "k1"), Grant)


async def test_a_refusal_is_not_kept(permits):
    refusing = PermitAsk("default", None, "key1", NOW, lambda *_: REFUSED, "k1", DIGEST)
    assert await permits.grant(refusing) == REFUSED
    assert isinstance(await grant(permits, a_permit(), "k1"), Grant)


async def test_an_answer_is_kept_for_a_day_and_then_asked_anew(permits):
    day = 24 * HOUR
    await grant(permits, a_permit("prm_1"), "k1")
    assert isinstance(await grant(permits, a_permit("prm_2", seconds=day - 1), "k1"), Repeat)
    assert isinstance(await grant(permits, a_permit("prm_3", seconds=day), "k1"), Grant)
    again = await grant(permits, a_permit("prm_4", seconds=day + 1), "k1")
    assert again == Repeat(DIGEST, "prm_3", b"{}", after(day))


async def test_old_answers_are_deleted(permits):
    for number in range(3):
        await grant(permits, a_permit(f"prm_{number}", seconds=number), f"k{number}")
    assert await permits.prune_repeats(after(2)) == 2
    assert isinstance(await grant(permits, a_permit("prm_9", seconds=3), "k2"), Repeat)
    assert isinstance(await grant(permits, a_permit("prm_8", seconds=3), "k1"), Grant)


async def test_a_withdrawn_permit_can_be_forgotten_so_that_its_key_asks_anew(permits):
    await grant(permits, a_permit("prm_1"), "k1")
    await permits.change("prm_1", NOW, stepping(PermitStep.REVOKE), forget=True)
    assert isinstance(await grant(permits, a_permit("prm_2"), "k1"), Grant)


# --- changes and sums ---


async def test_sums_follow_every_change(permits):
    await grant(permits, a_permit("prm_1", 100, campaign="spring"))
    await grant(permits, a_permit("prm_2", 50))
    assert await look(permits, campaign="spring") == (Spent(150, 0, after(HOUR), 150), Spent(100, 0, after(HOUR)))
    await permits.change("prm_1", after(30), reporting(70, 30))
    assert await look(permits, 30, campaign="spring") == (Spent(80, 70, after(HOUR), 150), Spent(30, 70, after(HOUR)))
    await permits.change("prm_1", after(90), reporting(130, 90))
    assert (await permits.permit("prm_1")).state is PermitState.USED
    assert await look(permits, 90, campaign="spring") == (Spent(50, 130, after(HOUR), 180), Spent(0, 130, None))
    await permits.change("prm_2", after(90), stepping(PermitStep.RELEASE, 90))
    assert await look(permits, 90) == (Spent(0, 130, after(HOUR + 60), 180), NOTHING_SPENT)


@pytest.mark.parametrize("step", [PermitStep.RELEASE, PermitStep.REVOKE, PermitStep.EXPIRE])
async def test_what_was_given_away_never_falls_however_a_permit_ends(permits, step):
    await grant(permits, a_permit("prm_1", 100))
    await permits.change("prm_1", after(5), reporting(40, 5))
    await permits.change("prm_1", after(10), stepping(step, 10))
    assert (await look(permits, 20))[0].given == (await permits.spent(after(20)))["default"].given == 100
    await permits.change("prm_1", after(30), reporting(130, 30))
    assert (await look(permits, 40))[0].given == (await permits.held(after(40))).given["default"] == 130


async def test_what_other_gates_gave_away_is_known_in_the_same_transaction(permits):
    assert (await look(permits))[0].given_elsewhere == 0
    seen = await asyncio.gather(
        grant(permits, a_permit("prm_1", 100)),
        look(permits, gate="voice"),
        grant(permits, a_permit("prm_2", 30, gate="voice")),
        look(permits),
        grant(permits, a_permit("prm_3", 5, gate="chat")),
        look(permits, gate="voice"),
    )
    assert [(spent.given, spent.given_elsewhere) for spent, _ in seen[1::2]] == [(0, 100), (100, 30), (30, 105)]
    stored = await permits.spent(NOW)
    assert {gate: spent.given_elsewhere for gate, spent in stored.items()} == {"default": 35, "voice": 105, "chat": 130}


async def test_what_was_sent_counts_by_the_minute_it_was_reported_in(permits):
    await grant(permits, a_permit("prm_1", 1000, expires_at=after(9 * HOUR)))
    for at, total in ((0, 10), (59, 30), (60, 70)):
        await permits.change("prm_1", after(at), reporting(total, at))
    assert [(await look(permits, at))[0].sent_last_hour for at in (60, 3659, 3660, 3719, 3720)] == [70, 70, 40, 40, 0]


async def test_no_change_writes_nothing(permits, store):
    await grant(permits, a_permit())
    assert await permits.change("prm_1", NOW, lambda permit: (permit, ())) == a_permit()
    assert await types(store) == [EventType.PERMIT_GRANTED]


async def test_a_change_that_is_refused_changes_nothing(permits, store):
    def refuse(_: Permit):
        raise Invalid("not so")

    await grant(permits, a_permit())
    with pytest.raises(Invalid, match="not so"):
        await permits.change("prm_1", NOW, refuse)
    assert await permits.permit("prm_1") == a_permit()
    assert await types(store) == [EventType.PERMIT_GRANTED]


async def test_live_permits_of_a_gate_or_a_campaign_are_changed_together(permits, store):
    await grant(permits, a_permit("prm_1", campaign="spring"))
    await grant(permits, a_permit("prm_2", campaign="autumn"))
    await grant(permits, a_permit("prm_3", gate="voice", campaign="spring"))
    await permits.change("prm_2", NOW, stepping(PermitStep.RELEASE))
    pause = stepping(PermitStep.PAUSE)
    assert [each.id for each in await permits.change_live("default", None, NOW, pause)] == ["prm_1"]
    left = lambda permit: pause(permit) if permit.state is PermitState.ACTIVE else None  # noqa: E731
    assert [each.id for each in await permits.change_live(None, "spring", NOW, left)] == ["prm_3"]
    assert await permits.change_live(None, None, NOW, left) == []
    assert (await types(store))[-1] is EventType.PERMIT_PAUSED
    assert (await permits.spent(NOW))["default"].outstanding == 100


async def test_what_is_over_expires_before_an_ask_of_its_gate_is_settled(permits, store):
    await grant(permits, a_permit("prm_1"))
    await grant(permits, a_permit("prm_2", seconds=60))
    await grant(permits, a_permit("prm_3", gate="voice"))
    assert (await look(permits, HOUR - 0.001))[0].outstanding == 200
    assert (await look(permits, HOUR))[0] == Spent(100, 0, after(HOUR + 60), given=200, given_elsewhere=100)
    assert (await permits.permit("prm_1")).state is PermitState.EXPIRED
    assert (await permits.permit("prm_3")).state is PermitState.ACTIVE
    assert (await types(store))[-1] is EventType.PERMIT_EXPIRED


async def test_everything_that_is_over_expires_at_once(permits, store):
    for number in range(5):
        await grant(permits, a_permit(f"prm_{number}", seconds=number, gate="default" if number % 2 else "voice"))
    assert [each.id for each in await permits.expire_due(after(HOUR + 2))] == ["prm_0", "prm_1", "prm_2"]
    assert {gate: spent.outstanding for gate, spent in (await permits.spent(after(HOUR))).items()} == {
        "default": 100, "voice": 100,
    }  # fmt: skip
    assert (await types(store)).count(EventType.PERMIT_EXPIRED) == 1


async def test_kept_sums_are_what_the_rows_say_after_reopening(permits, store, kind, tmp_path):
    for number in range(6):
        await grant(permits, a_permit(f"prm_{number}", 100 + number, campaign="spring" if number % 2 else None))
    await permits.change("prm_0", after(5), reporting(40, 5))
    await permits.change("prm_1", NOW, stepping(PermitStep.RELEASE))
    before = await permits.spent(after(10)), await permits.spent_by_campaign(["spring", "none"], NOW)
    await store.close()
    async with a_store(tmp_path, kind) as again:
        assert (await again.permits.spent(after(10)), await again.permits.spent_by_campaign(["spring"], NOW)) == before
        live, sent, given = await again.permits.held(after(10))
        assert sum(permit.outstanding for permit in live) == before[0]["default"].outstanding == 60 + 102 + 103 + 209
        assert sent == [SentMinute("default", NOW, 40)]
        assert given == {"default": 615}
        assert before[1] == {"spring": Spent(103 + 105, 0, after(HOUR))}


async def test_nothing_held_is_nothing_spent(permits):
    assert await permits.held(NOW) == Held([], [])
    assert await permits.spent(NOW) == {}
    assert await permits.spent_by_campaign([], NOW) == {}


# --- who is told ---


async def test_listeners_hear_of_every_commit_in_order_before_the_caller_does(permits):
    heard: list[tuple[str | None, str, str]] = []
    permits.subscribe(
        lambda changes: heard.extend(
            (before and before.state.value, after.state.value, after.id) for before, after, _ in changes
        )
    )
    await grant(permits, a_permit())
    assert heard == [(None, "active", "prm_1")]
    await permits.change("prm_1", NOW, stepping(PermitStep.PAUSE))
    await look(permits)
    assert heard == [(None, "active", "prm_1"), ("active", "paused", "prm_1")]


# --- reading ---


async def test_a_permit_that_is_not_there_is_not_found(permits):
    for call in (permits.permit("prm_9"), permits.change("prm_9", NOW, stepping(PermitStep.PAUSE))):
        with pytest.raises(NotFound, match="'prm_9'"):
            await call


async def test_pages_newest_first_hold_every_permit_once_also_at_equal_times(permits):
    rows = [a_permit(f"prm_{number:02}", seconds=number // 4) for number in range(20)]
    await asyncio.gather(*(grant(permits, permit) for permit in rows))
    for limit in (1, 3, 20):
        found: list[Permit] = []
        while page := await permits.permits(
            before=(found[-1].granted_at, found[-1].id) if found else None, limit=limit
        ):
            found += page
        assert found == rows[::-1]


async def test_filters_narrow_the_pages(permits):
    await grant(permits, a_permit("prm_1", campaign="spring"))
    await grant(permits, a_permit("prm_2", gate="voice"))
    await permits.change("prm_2", NOW, stepping(PermitStep.PAUSE))
    for filters, wanted in (
        ({"gate": "voice"}, ["prm_2"]),
        ({"campaign": "spring"}, ["prm_1"]),
        ({"states": (PermitState.PAUSED, PermitState.USED)}, ["prm_2"]),
        ({"gate": "voice", "campaign": "spring"}, []),
    ):
        assert [permit.id for permit in await permits.permits(**filters)] == wanted


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_limit_outside_its_range_is_refused(permits, limit):
    with pytest.raises(Invalid, match=str(limit)):
        await permits.permits(limit=limit)


# --- what went out when ---


async def test_sendings_sum_up_what_was_reported_and_what_may_still_go_by_gate_campaign_and_minute(permits):
    await grant(permits, a_permit("prm_1", 100, campaign="spring"))
    await grant(permits, a_permit("prm_2", 50, seconds=59.9, campaign="spring"))
    await grant(permits, a_permit("prm_3", 30, seconds=30))
    await grant(permits, a_permit("prm_4", 20, seconds=60, campaign="spring"))
    await grant(permits, a_permit("prm_5", 10, gate="voice", campaign="spring"))
    await permits.change("prm_1", after(200), reporting(70, 200))
    await permits.change("prm_4", after(200), reporting(25, 200))
    assert await permits.sendings(NOW) == [
        Sending("default", None, NOW, 0, 30, until=after(30)),
        Sending("default", "spring", NOW, 70, 80, until=after(200)),
        Sending("voice", "spring", NOW, 0, 10, until=NOW),
        Sending("default", "spring", after(60), 25, 0, until=after(200)),
    ]
    assert await permits.sendings(NOW, campaign="summer") == []
    assert {sending.campaign for sending in await permits.sendings(NOW, campaign="spring")} == {"spring"}


async def test_sendings_leave_out_what_will_never_go_and_keep_what_went(permits):
    await grant(permits, a_permit("prm_1", 100))
    await grant(permits, a_permit("prm_2", 100, campaign="spring"))
    await permits.change("prm_2", after(5), reporting(40, 5))
    for permit in ("prm_1", "prm_2"):
        await permits.change(permit, after(10), stepping(PermitStep.RELEASE, 10))
    assert await permits.sendings(NOW) == [Sending("default", "spring", NOW, 40, 0, until=after(10))]


async def test_sendings_say_when_the_last_of_them_can_have_gone(permits):
    """A permit may live for a day, and longer when it is renewed; what went under it went when it was granted at best.

    After its time nothing goes: a report that comes later tells of what went before.
    """
    for number, report_at in enumerate((5 * HOUR, 20 * HOUR)):
        await grant(permits, a_permit(f"prm_{number}", 100, seconds=60 * number, expires_at=after(9 * HOUR)))
        await permits.change(f"prm_{number}", after(report_at), reporting(90, report_at))
    assert [each.until for each in await permits.sendings(NOW)] == [after(5 * HOUR), after(9 * HOUR)]
    await permits.expire_due(after(9 * HOUR + 30))
    assert [(each.lapsed, each.until) for each in await permits.sendings(NOW)] == [
        (10, after(9 * HOUR)),
        (10, after(9 * HOUR)),
    ]


async def test_sendings_begin_with_their_first_minute_but_know_every_permit_that_is_live(permits):
    for number in range(3):
        await grant(permits, a_permit(f"prm_{number}", 100, seconds=60 * number, expires_at=after(9 * HOUR)))
        await permits.change(f"prm_{number}", after(200), reporting(10, 200))
    await permits.change("prm_0", after(300), stepping(PermitStep.RELEASE, 300))
    assert [(each.minute_at, each.outstanding) for each in await permits.sendings(after(120))] == [
        (after(60), 90),
        (after(120), 90),
    ]


async def test_a_closed_store_refuses_instead_of_waiting(permits, store):
    await store.close()
    with pytest.raises(NotDurable, match="closed"):
        await grant(permits, a_permit())


async def test_what_a_gate_gave_is_summed_up_by_step_and_campaign(permits):
    given = [
        (0, 100, "spring", 1),
        (30, 50, "spring", 2),
        (40, 7, None, None),
        (70, 20, "spring", 3),
        (120, 1, None, None),
    ]
    for number, (seconds, allowed, campaign, wave) in enumerate(given):
        await grant(permits, a_permit(f"prm_{number}", allowed, seconds, campaign=campaign, wave=wave))
    await grant(permits, a_permit("prm_x", 500, 10, gate="other"))
    assert await permits.grants("default", NOW, after(120), 60) == [
        Granted(NOW, "spring", 2, 150, 2),
        Granted(after(40), None, 1, 7, None),
        Granted(after(70), "spring", 1, 20, 3),
    ]
    assert await permits.grants("nowhere", NOW, after(120), 60) == []
