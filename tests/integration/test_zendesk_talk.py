"""The zendesk-talk source against a strict account: a day of its life, its faults, and bad tables."""

import pytest

from app.clocks import SystemClock
from app.errors import Invalid
from tests.support.a_day import live_through
from tests.support.vendors.strict import Broken, Cut, Limited, Truncated, serving
from tests.support.vendors.zendesk_talk import Talk, activity
from tests.support.whole import a_whole
from workers.sources.registry import configured, one
from workers.sources.trying import over_the_line
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError


@pytest.fixture
def talk():
    with serving(Talk()) as talk:
        talk.lines = {"": activity(3, 40)}
        yield talk


async def test_a_day_is_lived_without_a_wrong_go(talk, tmp_path):
    happenings = {
        12: lambda: talk.troubles.append(Broken()),
        20: lambda: talk.troubles.append(Limited("200")),
        58: lambda: talk.troubles.extend([Truncated(), Cut()]),
    }

    def tell(backlog):
        talk.lines = {"": activity(backlog, 5)}

    async with a_whole(tmp_path) as whole:
        talk.base = whole.clock.now
        _, factory = one("sources[0]", talk.table(interval_seconds=20))
        day = await live_through(whole, factory, tell, happenings, 70)
    assert {10, 12, 15, 56, 57, 60, 67} <= set(day.held)
    assert {24, 25} <= set(day.in_the_dark)
    assert {9, 19, 30, 43, 55} <= set(day.went)
    assert talk.complaints == []


async def trial_of(talk, **values):
    return await over_the_line([talk.table(**values)], "zendesk", SystemClock())


async def test_each_queue_is_asked_for_by_its_numbers(talk):
    talk.lines |= {"11,12": activity(2, 9), "13": activity("many")}
    trial = await trial_of(talk, queues={"all": "all", "orders": "11, 12", "odd": "13"})
    told = {(each.queue, each.metric): each.value for each in trial.seen}
    assert told["all", "backlog"] == 3
    assert told["all", "agents_staffed"] == 6
    assert (told["orders", "backlog"], told["orders", "oldest_wait_seconds"]) == (2, 9)
    assert ("orders", "agents_staffed") not in told
    assert [each.detail for each in trial.missed] == ["calls_waiting is no number"]
    assert talk.complaints == []


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [(Limited("7"), RateLimited), (Broken(403), Refused), (Truncated(), TranslateError), (Cut(), SourceFault)],
)
async def test_a_fault_is_a_fault_and_nothing_is_invented(talk, trouble, fault):
    talk.troubles.append(trouble)
    with pytest.raises(fault):
        await trial_of(talk)


async def test_a_wrong_token_is_refused(talk):
    with pytest.raises(Refused, match="does not accept our credentials"):
        await trial_of(talk, password="other")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"queues": {}}, "queues: names no queue"),
        ({"queues": {"a": "+1 555"}}, "queues.a: is no list of ids of phone numbers"),
        ({"queues": {"a": ",".join(map(str, range(101)))}}, "queues.a: is no list"),
        ({"queues": {f"q{each}": "all" for each in range(21)}}, "queues: has 21 queues"),
        ({"callbacks": "yes"}, "callbacks: 'yes' is not allowed"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        configured([Talk().table(url="https://acme.zendesk.com", **values)])
