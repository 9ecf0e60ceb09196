"""The amazon-connect source against a strict instance: a day of its life, its faults, and the events that it pushes."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from app.clocks import SystemClock
from tests.support.a_day import QUEUE, live_through
from tests.support.vendors.amazon_connect import OTHER_ID, QUEUE_ID, Channel, Connect, contact_event, waiting
from tests.support.vendors.strict import Broken, Cut, Limited, Silent, Truncated, serving
from tests.support.whole import a_whole
from workers.sources.pushes import taken_by
from workers.sources.registry import one
from workers.sources.trying import over_the_line
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError

EVENTS = "orders-events"
PUSH = "/api/v1/sources/connect/push"


@pytest.fixture
def connect():
    with serving(Connect()) as connect:
        connect.queues = {QUEUE_ID: {"VOICE": waiting(2, 9.0)}}
        yield connect


async def test_a_day_is_lived_without_a_wrong_go(connect, tmp_path):
    def clock(hours):
        return lambda: setattr(connect, "clock_ahead", timedelta(hours=hours))

    happenings = {
        12: lambda: connect.troubles.append(Broken()),
        20: lambda: connect.troubles.append(Limited("1")),
        31: clock(1),
        37: clock(0),
        42: clock(-1),
        48: clock(0),
        58: lambda: connect.troubles.extend([Truncated(), Cut()]),
        70: lambda: connect.troubles.append(Broken(403)),
    }

    def tell(backlog):
        connect.queues = {QUEUE_ID: {"VOICE": waiting(backlog, 5.0)}}

    async with a_whole(tmp_path) as whole:
        connect.base = whole.clock.now
        _, factory = one("sources[0]", connect.table(interval_seconds=20, window_interval_seconds=2))
        day = await live_through(whole, factory, tell, happenings, 84)
        health = whole.services.sources.find("connect")
    assert {10, 12, 15, 56, 60, 67} <= set(day.held)
    assert {35, 36, 46, 47} <= set(day.in_the_dark)
    assert {9, 19, 30, 41, 55, 80, 83} <= set(day.went)
    assert connect.complaints == []
    assert health is not None
    assert health.status == "working"


async def trial_of(connect, **values):
    trial = await over_the_line([connect.table(**values)], "connect", SystemClock())
    return {(each.queue, each.metric): each.value for each in trial.seen}


async def test_now_and_the_window_are_told_page_by_page(connect):
    connect.page = 1
    voice = waiting(3, 40.0, staffed=6, available=2)
    voice.window = {"CONTACTS_QUEUED": 50.0, "CONTACTS_HANDLED": 40.0, "SUM_CONTACTS_ANSWERED_IN_X": 31.0}
    connect.queues = {QUEUE_ID: {"VOICE": voice, "CHAT": waiting(4, 90.0)}, OTHER_ID: {"VOICE": waiting(1, 3.0)}}
    told = await trial_of(connect, queues={QUEUE: QUEUE_ID, "billing": OTHER_ID, "idle": "aaaa-3"})
    assert (told[QUEUE, "backlog"], told[QUEUE, "oldest_wait_seconds"], told[QUEUE, "agents_staffed"]) == (7, 90, 6)
    assert (told["billing", "backlog"], told["idle", "backlog"], told["idle", "agents_staffed"]) == (1, 0, 0)
    assert (told[QUEUE, "offered"], told[QUEUE, "answered"], told[QUEUE, "answered_within_target"]) == (50, 40, 31)
    assert told[QUEUE, "window_seconds"] == 1800
    assert [each.path for each in connect.asked].count("/metrics/data") == 1
    assert connect.complaints == []


async def test_amazons_own_level_comes_alone(connect):
    window: dict[str, float | None] = {"SERVICE_LEVEL": 75.0, "SUM_CONTACTS_ANSWERED_IN_X": 9.0, "CONTACTS_HANDLED": 9}
    connect.queues[QUEUE_ID]["VOICE"] = Channel(waiting(0).now, window)
    told = await trial_of(connect, service_level="amazon")
    assert told[QUEUE, "service_level_ratio"] == 0.75
    assert (QUEUE, "answered_within_target") not in told


@pytest.mark.parametrize(
    ("trouble", "fault", "sentence"),
    [
        (Limited("7"), RateLimited, "HTTP 429.*quota"),
        (Broken(403), Refused, "HTTP 403.*may not do that"),
        (Broken(400), SourceFault, "HTTP 400"),
        (Broken(), SourceFault, "HTTP 500"),
        (Truncated(), TranslateError, "no DataSnapshotTime|cannot be read"),
        (Cut(), SourceFault, "no DataSnapshotTime|was not answered"),
    ],
)
async def test_a_fault_is_a_sentence_and_nothing_is_invented(connect, trouble, fault, sentence):
    connect.troubles.append(trouble)
    with pytest.raises(fault, match=sentence) as raised:
        await trial_of(connect)
    assert QUEUE_ID not in str(raised.value)
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_seconds == 7


async def test_a_wrong_key_is_refused_and_no_key_is_said(connect, monkeypatch, tmp_path):
    with pytest.raises(Refused, match="may not do that"):
        await trial_of(connect, access_key_id="AKIAOTHER", secret_access_key="x")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    table = connect.table(profile="nobody")
    with pytest.raises(Refused, match="no AWS credentials"):
        await over_the_line([{k: v for k, v in table.items() if "key" not in k}], "connect", SystemClock())


async def test_slow_is_a_fault(connect):
    silent = Silent(threading.Event())
    connect.troubles.append(silent)
    with pytest.raises(SourceFault, match="was not answered"):
        await trial_of(connect, timeout_seconds=0.2)
    silent.until.set()


async def test_a_fault_of_the_window_does_not_take_away_what_is_now(connect):
    connect.windows_fail = True
    trial = await over_the_line([connect.table()], "connect", SystemClock())
    assert {(each.metric, each.value) for each in trial.seen} >= {("backlog", 2), ("agents_staffed", 5)}
    assert [each.detail for each in trial.missed] == [
        "no windowed metrics: get_metric_data_v2 was answered with HTTP 500"
    ]


@pytest.fixture
async def pushing(tmp_path):
    async with a_whole(tmp_path) as whole:
        table = Connect().table(endpoint_url="http://127.0.0.1:9", event_queues={EVENTS: OTHER_ID})
        other = {"type": "queue-log", "name": "pbx", "path": str(tmp_path / "queue_log")}
        whole.services = replace(whole.services, pushes=taken_by([table, other], whole.services.ingest))
        async with whole.client("ingest") as client:
            yield whole, client


async def test_events_in_any_order_and_twice_make_one_contact(pushing):
    whole, client = pushing
    queued, answered, over = (whole.clock.now() - timedelta(seconds=each) for each in (90, 60, 30))
    agent = {"AgentArn": "arn:aws:connect:x:y:instance/z/agent/dddddddd-0000-4000-8000-00000000000d"}
    end = contact_event(
        "Disconnected",
        over.isoformat(),
        channel="Voice",
        disconnectTimestamp=over.isoformat(),
        disconnectReason="CUSTOMER_DISCONNECT",
        AgentInfo=agent | {"connectedToAgentTimestamp": answered.isoformat()},
        customerEndpoint={"address": "+15550177321"},
    )
    end["detail"]["queueInfo"]["enqueueTimestamp"] = queued.isoformat()
    assert (await client.post(PUSH, json=end)).json() == {
        "accepted": 3, "duplicates": 0, "ignored": 0, "rejected": [],
    }  # fmt: skip
    again = await client.post(PUSH, json=contact_event("QUEUED", queued.isoformat()))
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)
    records = [each.payload for each in await whole.services.ingest._stream.read(0) if each.payload.queue == EVENTS]
    assert [(each.event, each.at, each.agent) for each in records] == [
        ("queued", queued, None),
        ("answered", answered, "dddddddd-0000-4000-8000-00000000000d"),
        ("completed", over, None),
    ]
    assert {each.contact_id for each in records} == {f"bbbbbbbb-0000-4000-8000-000000000009.{OTHER_ID}"}
    assert "5550177321" not in repr(records)


async def test_who_hangs_up_in_the_queue_has_abandoned_it_and_who_is_sent_off_has_not(pushing):
    whole, client = pushing
    at = whole.clock.now().isoformat()
    for last, reason in enumerate(("CUSTOMER_DISCONNECT", "CONTACT_FLOW_DISCONNECT")):
        contact = f"bbbbbbbb-0000-4000-8000-00000000000{last}"
        event = contact_event("DISCONNECTED", at, contact, disconnectTimestamp=at, disconnectReason=reason)
        assert (await client.post(PUSH, json=event)).json()["accepted"] == 2
    records = [each.payload for each in await whole.services.ingest._stream.read(0) if each.payload.queue == EVENTS]
    assert [each.event for each in records] == ["queued", "abandoned", "queued", "completed"]


async def test_what_is_of_no_use_is_ignored(pushing):
    whole, client = pushing
    elsewhere = {"queueInfo": {"queueArn": f"arn:x/queue/{QUEUE_ID}"}}
    for detail in ({"queueInfo": None}, elsewhere):
        event = contact_event("INITIATED", whole.clock.now().isoformat(), **detail)
        done = await client.post(PUSH, json=event)
        assert (done.status_code, done.json()["ignored"]) == (200, 1)


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("nobody", b"{}", 404, "those that take pushes: connect"),
        ("pbx", b"{}", 409, "takes no pushes as it is configured"),
        ("connect", b"{", 422, "the body is not JSON"),
        ("connect", b"[]", 422, "the body is no contact event; send one event of EventBridge as it comes"),
        ("connect", b'"' + b"x" * (256 << 10) + b'"', 413, "at most 262,144 are read"),
    ],
)
async def test_a_push_that_cannot_be_taken_is_told_why(pushing, path, body, status, sentence):
    _, client = pushing
    headers = {"content-type": "application/json"}
    done = await client.post(f"/api/v1/sources/{path}/push", content=body, headers=headers)
    assert (done.status_code, done.headers["content-type"]) == (status, "application/problem+json")
    assert sentence in done.json()["detail"]


async def test_an_event_of_tomorrow_is_refused_and_noted(pushing):
    whole, client = pushing
    event = contact_event("QUEUED", (whole.clock.now() + timedelta(days=1)).isoformat())
    done = await client.post(PUSH, json=event)
    assert (done.status_code, done.json()["errors"][0]["pointer"]) == (422, "/at")
    assert (await client.post(PUSH, json={"detail-type": "Sunrise"})).status_code == 422
    health = whole.services.sources.find("connect")
    assert health is not None
    assert health.rejected == 2


async def test_only_who_may_bring_data_may_push(pushing):
    whole, _ = pushing
    async with whole.client("read") as reader:
        assert (await reader.post(PUSH, json={})).status_code == 403
