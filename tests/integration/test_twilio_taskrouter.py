"""The twilio-taskrouter source against a strict workspace: a day of its life, its faults, and bad tables."""

import pytest

from app.clocks import SystemClock
from app.errors import Invalid
from tests.support.a_day import live_through
from tests.support.vendors.strict import Broken, Cut, Limited, Truncated, serving
from tests.support.vendors.twilio_taskrouter import OTHER_SID, QUEUE_SID, TaskRouter, real_time
from tests.support.whole import a_whole
from workers.sources.registry import configured, one
from workers.sources.trying import over_the_line
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError


@pytest.fixture
def twilio():
    with serving(TaskRouter()) as twilio:
        twilio.queues = {QUEUE_SID: real_time("2", "1", 40)}
        yield twilio


async def test_a_day_is_lived_without_a_wrong_go(twilio, tmp_path):
    happenings = {
        12: lambda: twilio.troubles.append(Broken()),
        20: lambda: twilio.troubles.append(Limited("200")),
        58: lambda: twilio.troubles.extend([Truncated(), Cut()]),
    }

    def tell(backlog):
        twilio.queues = {QUEUE_SID: real_time(str(backlog // 2), str(backlog - backlog // 2), 5)}

    async with a_whole(tmp_path) as whole:
        twilio.base = whole.clock.now
        _, factory = one("sources[0]", twilio.table(interval_seconds=20, windows=False))
        day = await live_through(whole, factory, tell, happenings, 70)
    assert {10, 12, 15, 56, 57, 60, 67} <= set(day.held)
    assert {24, 25} <= set(day.in_the_dark)
    assert {9, 19, 30, 43, 55} <= set(day.went)
    assert twilio.complaints == []


async def trial_of(twilio, **values):
    return await over_the_line([twilio.table(**values)], "twilio", SystemClock())


async def test_now_and_the_window_are_told(twilio):
    twilio.queues[OTHER_SID] = real_time("0", "0", 0)
    twilio.window = {"tasks_entered": 9, "reservations_accepted": 8, "tasks_canceled": 1}
    trial = await trial_of(twilio, queues={"a": QUEUE_SID, "b": OTHER_SID}, task_channel="voice", window_minutes=60)
    told = {(each.queue, each.metric): each.value for each in trial.seen}
    assert (told["a", "backlog"], told["a", "oldest_wait_seconds"], told["b", "backlog"]) == (3, 40, 0)
    assert (told["a", "offered"], told["a", "window_seconds"]) == (9, 3600)
    assert all(each.params["TaskChannel"] == "voice" for each in twilio.asked)
    assert twilio.complaints == []


async def test_faults_of_one_queue_or_of_the_window_do_not_take_away_the_rest(twilio):
    twilio.queues[OTHER_SID] = real_time("many")
    twilio.window = None
    trial = await trial_of(twilio, queues={"a": QUEUE_SID, "b": OTHER_SID})
    assert {(each.queue, each.value) for each in trial.seen if each.metric == "backlog"} == {("a", 3)}
    assert len(trial.missed) == 2
    assert "pending is no number" in trial.missed[0].detail
    assert "no windowed metrics" in trial.missed[1].detail


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [(Limited("7"), RateLimited), (Broken(403), Refused), (Truncated(), TranslateError), (Cut(), SourceFault)],
)
async def test_a_fault_is_a_fault_and_nothing_is_invented(twilio, trouble, fault):
    twilio.troubles.append(trouble)
    with pytest.raises(fault):
        await trial_of(twilio)


async def test_a_wrong_secret_is_refused(twilio):
    with pytest.raises(Refused, match="does not accept our credentials"):
        await trial_of(twilio, password="other")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"workspace_sid": "WS1"}, "workspace_sid: 'WS1' is no workspace's SID"),
        ({"queues": {}}, "queues: names no queue"),
        ({"queues": {"a": "WS1"}}, "queues.a: 'WS1' is no task queue's SID"),
        ({"window_minutes": 0}, "window_minutes: 0 is not allowed"),
    ],
)
def test_a_bad_table_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        configured([TaskRouter().table(api_url="https://taskrouter.twilio.com", **values)])
