"""The five9 source against a strict service: a day of its life, sessions, faults, and bad tables."""

from datetime import timedelta

import pytest

from app.clocks import SystemClock
from app.errors import Invalid
from tests.support.a_day import live_through
from tests.support.vendors.five9 import Five9, skill
from tests.support.vendors.strict import Broken, Cut, Limited, Truncated, serving
from tests.support.whole import a_whole
from workers.sources.registry import configured, one
from workers.sources.trying import over_the_line
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError

SKILL = "Orders & more"


@pytest.fixture
def five9():
    with serving(Five9()) as five9:
        five9.skills = [skill(SKILL, 3, 40_000), skill("Other", 99)]
        yield five9


async def test_a_day_is_lived_without_a_wrong_go(five9, tmp_path):
    def clock(hours):
        return lambda: setattr(five9, "clock_ahead", timedelta(hours=hours))

    def session_ends():
        five9.in_session = False

    def others_come():
        five9.in_session, five9.others_in_session = False, True

    happenings = {
        12: session_ends,
        20: others_come,
        26: lambda: setattr(five9, "others_in_session", False),
        35: clock(1),
        41: clock(0),
        44: clock(-1),
        49: clock(0),
        58: lambda: five9.troubles.extend([Truncated(), Cut()]),
    }

    def tell(backlog):
        five9.skills = [skill(SKILL, backlog, 5_000)]

    async with a_whole(tmp_path) as whole:
        five9.base = whole.clock.now
        _, factory = one("sources[0]", five9.table(interval_seconds=20))
        day = await live_through(whole, factory, tell, happenings, 70)
    assert {10, 12, 15, 56, 60, 67} <= set(day.held)
    assert {24, 25, 39, 40, 48} <= set(day.in_the_dark)
    assert {9, 13 + 6, 34, 43, 55} <= set(day.went)
    assert five9.sessions == 3
    assert five9.complaints == []


async def trial_of(five9, **values):
    return await over_the_line([five9.table(**values)], "five9", SystemClock())


async def test_columns_are_taken_by_name(five9):
    told = {each.metric: each.value for each in (await trial_of(five9)).seen}
    assert (told["backlog"], told["oldest_wait_seconds"], told["agents_available"]) == (3, 40, 2)
    assert five9.complaints == []


async def test_no_room_for_a_session_is_said_and_waited_for_and_nobody_is_thrown_out(five9):
    five9.others_in_session = True
    with pytest.raises(RateLimited, match="opens no supervisor session") as raised:
        await trial_of(five9)
    assert raised.value.retry_after_seconds == 60
    assert (await trial_of(five9, force_logout=True)).seen


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [(Limited("7"), RateLimited), (Broken(403), Refused), (Truncated(), TranslateError), (Cut(), SourceFault)],
)
async def test_a_fault_is_a_fault_and_nothing_is_invented(five9, trouble, fault):
    five9.troubles.append(trouble)
    with pytest.raises(fault):
        await trial_of(five9)


async def test_a_wrong_password_is_refused(five9):
    with pytest.raises(Refused, match="does not accept our credentials"):
        await trial_of(five9, password="other")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"queues": {}}, "queues: names no queue"),
        ({"queues": {"a": "x", "b": "x"}}, "queues.b: is the skill of 'a' too"),
        ({"force_logout": 1}, "force_logout: 1 is not allowed"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        configured([Five9().table(url="https://api.five9.com/x", **values)])
