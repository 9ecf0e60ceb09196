"""The nice-cxone source against a strict tenant: a day of its life, tokens, faults, and bad tables."""

from datetime import timedelta

import pytest

from app.clocks import SystemClock
from app.errors import Invalid
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.a_day import live_through
from tests.support.builders import NOW
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.vendors.nice_cxone import PATH, Cxone
from tests.support.vendors.strict import Broken, Cut, Limited, Truncated, serving
from tests.support.whole import a_whole
from workers.sources.polling import Poller
from workers.sources.registry import configured, one
from workers.sources.trying import over_the_line
from workers.sources.worker import Surroundings
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError


@pytest.fixture
def cxone():
    with serving(Cxone()) as cxone:
        cxone.rows = [cxone.skill(4711, 3, 40)]
        yield cxone


async def test_a_day_is_lived_without_a_wrong_go(cxone, tmp_path):
    def clock(hours):
        return lambda: setattr(cxone, "clock_ahead", timedelta(hours=hours))

    happenings = {
        12: lambda: cxone.troubles.append(Broken()),
        20: lambda: cxone.troubles.append(Limited("1")),
        31: clock(1),
        37: clock(0),
        42: clock(-1),
        48: clock(0),
        58: lambda: cxone.troubles.extend([Truncated(), Cut()]),
    }

    def tell(backlog):
        outbound = cxone.skill(4711, 99, 1, isOutbound=True)
        cxone.rows = [cxone.skill(4711, backlog, 5), outbound]

    async with a_whole(tmp_path) as whole:
        cxone.base = whole.clock.now
        _, factory = one("sources[0]", cxone.table(interval_seconds=20))
        day = await live_through(whole, factory, tell, happenings, 70)
    assert {10, 12, 15, 56, 60, 67} <= set(day.held)
    assert {35, 36, 46, 47} <= set(day.in_the_dark)
    assert {9, 19, 30, 41, 55} <= set(day.went)
    assert cxone.complaints == []


async def trial_of(cxone, **values):
    return await over_the_line([cxone.table(**values)], "cxone", SystemClock())


async def test_a_token_is_kept_and_taken_anew_when_it_runs_out_or_is_not_taken(cxone):
    clock, sources = SteppedClock(NOW), Sources()
    cxone.base = clock.now
    _, factory = one("sources[0]", cxone.table())
    poller = factory(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock))
    assert isinstance(poller, Poller)
    await poller.sample()
    await poller.sample()
    assert cxone.tokens == 1
    cxone.tokens, cxone.lasts = 7, 30  # ours is of no use any more
    assert [each.queue for each in (await poller.sample()).payloads] == ["day-voice"]
    assert cxone.complaints == [f"GET {PATH}: the bearer token is missing or wrong"]
    await poller.sample()
    assert cxone.tokens == 9


async def test_who_may_not_read_is_asked_for_one_token_only(cxone):
    cxone.refuses = True
    with pytest.raises(Refused, match="may not read this"):
        await trial_of(cxone)
    assert cxone.tokens == 1


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [
        (Limited("7"), RateLimited),
        (Broken(400), Refused),
        (Broken(403), Refused),
        (Truncated(), TranslateError),
        (Cut(), SourceFault),
    ],
)
async def test_a_fault_is_a_fault_and_nothing_is_invented(cxone, trouble, fault):
    cxone.troubles.append(trouble)
    with pytest.raises(fault):
        await trial_of(cxone)


async def test_a_wrong_secret_is_refused(cxone):
    with pytest.raises(Refused, match="does not accept our credentials"):
        await trial_of(cxone, access_key_secret="other")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"area": "https://na1"}, "area: 'https://na1' is no area"),
        ({"api_version": "30"}, "api_version: '30' is no version"),
        ({"queues": {}}, "queues: names no queue"),
        ({"queues": {"a": "Orders"}}, "queues.a: 'Orders' is no skill's id"),
        ({"queues": {"a": "1", "b": "1"}}, "queues.b: is the skill of 'a' too"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        configured([Cxone().table(api_url="https://cxone.example", token_url="https://cxone.example/t", **values)])
