"""What Amazon Connect's answers mean, and how its account is spared."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import Invalid
from tests.support.vendors.amazon_connect import ARN, OTHER_ID, QUEUE_ID
from workers.sources.amazon_connect.quota import Turnstile, turnstile
from workers.sources.amazon_connect.translate import Window, current, windowed
from workers.sources.registry import one
from workers.systems.faults import RateLimited, TranslateError

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)
QUEUES = {QUEUE_ID: "orders", OTHER_ID: "billing"}
WINDOW = Window(AT - timedelta(minutes=30), AT)
TABLE = {"type": "amazon-connect", "instance_arn": ARN, "queues": {"orders": QUEUE_ID}}


def row(queue=QUEUE_ID, channel="VOICE", **values):
    collections = [{"Metric": {"Name": name, "Unit": "COUNT"}, "Value": value} for name, value in values.items()]
    return {"Dimensions": {"Queue": {"Id": queue}, "Channel": channel}, "Collections": collections}


def window_row(**values):
    collections = [{"Metric": {"Name": name}, "Value": value} for name, value in values.items()]
    return {"Dimensions": {"QUEUE": QUEUE_ID}, "Collections": collections}


def page(*rows, at=AT):
    return {"MetricResults": list(rows), "DataSnapshotTime": at}


def seen(*pages, queues=QUEUES) -> dict[str, Any]:
    return {each.queue: each for each in current(pages, queues, "connect").payloads}


def in_window(*rows) -> Sequence[Any]:
    return windowed([{"MetricResults": list(rows)}], QUEUES, "connect", WINDOW).payloads


def test_a_row_is_how_a_queue_stands_at_the_instant_of_the_snapshot():
    values = {"CONTACTS_IN_QUEUE": 14.0, "OLDEST_CONTACT_AGE": 193.0, "AGENTS_STAFFED": 9.0, "AGENTS_AVAILABLE": 2.0}
    orders = seen(page(row(**values, AGENTS_ON_CONTACT=7.0, SLOTS_ACTIVE=8.0)))["orders"]
    assert (orders.observed_at, orders.channel) == (AT, "voice")
    assert (orders.backlog, orders.oldest_wait_seconds, orders.contacts_in_progress) == (14, 193, 8)
    assert (orders.agents_staffed, orders.agents_available, orders.agents_busy) == (9, 2, 7)


def test_a_queue_without_a_row_has_nobody_waiting_and_nobody_home():
    billing = seen(page(row(CONTACTS_IN_QUEUE=1.0)))["billing"]
    assert (billing.backlog, billing.oldest_wait_seconds, billing.contacts_in_progress) == (0, 0, 0)
    assert (billing.agents_staffed, billing.agents_available, billing.agents_busy) == (0, 0, 0)


@pytest.mark.parametrize("answer", [{"message": "not all"}, {"MetricResults": []}, {"DataSnapshotTime": AT}, [], 7])
def test_only_a_good_answer_says_that_nobody_is_home(answer):
    with pytest.raises(TranslateError):
        current([page(), answer], QUEUES, "connect")


def test_a_row_that_makes_no_sense_is_not_nobody_home():
    lot = current([page(row(CONTACTS_IN_QUEUE="many"))], QUEUES, "connect")
    assert [each.queue for each in lot.payloads] == ["billing"]
    assert [(each.row, each.field, each.detail) for each in lot.rejected] == [(1, "", "a metric's Value is no number")]


TWICE = {"Metric": {"Name": "CONTACTS_IN_QUEUE"}, "Value": 0.0}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row(CONTACTS_IN_QUEUE=50.0), row(CONTACTS_IN_QUEUE=0.0)], "a queue's channel is there twice"),
        ([row(CONTACTS_IN_QUEUE="many"), row(channel="CHAT", CONTACTS_IN_QUEUE=0.0)], "a metric's Value is no number"),
        ([row(channel="CHAT", CONTACTS_IN_QUEUE=0.0), row() | {"Collections": None}], "it has no Collections"),
        ([{**(full := row(CONTACTS_IN_QUEUE=50.0)), "Collections": [*full["Collections"], TWICE]}], "is there twice"),
    ],
    ids=["a channel twice", "a bad channel first", "a bad channel last", "a metric twice"],
)
def test_a_part_of_a_queue_is_not_taken_for_all_of_it(rows, why):
    pages = [page(each) for each in rows]
    lot = current(pages, QUEUES, "connect")
    assert [each.queue for each in lot.payloads] == ["billing"]
    assert [each.detail for each in lot.rejected if why in each.detail]


def test_a_window_that_comes_twice_is_no_window():
    assert in_window(window_row(CONTACTS_QUEUED=50.0), window_row(CONTACTS_QUEUED=1.0)) == []


def test_null_is_not_said_and_never_zero():
    orders = seen(page(row(CONTACTS_IN_QUEUE=3.0, OLDEST_CONTACT_AGE=None, AGENTS_AVAILABLE=None)))["orders"]
    assert (orders.backlog, orders.oldest_wait_seconds) == (3, None)
    assert (orders.agents_available, orders.agents_staffed) == (None, None)
    assert "orders" not in seen(page(row(CONTACTS_IN_QUEUE=None)))


def test_channels_add_up_their_oldest_counts_and_an_agent_of_both_is_one_agent():
    voice = row(CONTACTS_IN_QUEUE=3.0, OLDEST_CONTACT_AGE=40.0, AGENTS_STAFFED=5.0)
    chat = row(channel="CHAT", CONTACTS_IN_QUEUE=4.0, OLDEST_CONTACT_AGE=90.0, AGENTS_STAFFED=5.0)
    orders = seen(page(voice), page(chat))["orders"]
    assert (orders.channel, orders.backlog, orders.oldest_wait_seconds, orders.agents_staffed) == (None, 7, 90, 5)
    unknown = seen(page(voice, row(channel="CHAT", CONTACTS_IN_QUEUE=None, AGENTS_STAFFED=1.0)))["orders"]
    assert (unknown.backlog, unknown.agents_staffed) == (None, 5)


def test_the_earliest_page_dates_the_whole():
    earlier = AT - timedelta(seconds=9)
    assert seen(page(), page(at=earlier))["orders"].observed_at == earlier


def test_a_window_is_counts_that_can_be_added_and_averages():
    counts = {"CONTACTS_QUEUED": 50.0, "CONTACTS_HANDLED": 40.0, "CONTACTS_ABANDONED": 6.0}
    rest = {"SUM_CONTACTS_ANSWERED_IN_X": 30.0, "AVG_QUEUE_ANSWER_TIME": 17.5, "AVG_HANDLE_TIME": 310.0}
    (orders,) = in_window(window_row(**counts, **rest))
    assert (orders.offered, orders.answered, orders.abandoned, orders.answered_within_target) == (50, 40, 6, 30)
    assert (orders.speed_to_answer_seconds, orders.handle_time_seconds) == (17.5, 310)
    assert (AT - orders.observed_at, orders.window_seconds) == (timedelta(microseconds=1), 1800)


def test_no_level_is_made_of_counts_that_contradict_each_other():
    (orders,) = in_window(window_row(CONTACTS_HANDLED=2.0, SUM_CONTACTS_ANSWERED_IN_X=3.0))
    assert (orders.answered, orders.answered_within_target) == (2, None)


def test_amazons_own_level_is_a_share_of_one():
    (orders,) = in_window(window_row(SERVICE_LEVEL=81.5))
    assert orders.service_level_ratio == pytest.approx(0.815)
    assert in_window(window_row(SERVICE_LEVEL=None)) == []


def test_questions_of_one_account_are_spaced_whoever_asks():
    now = [100.0]
    gate = Turnstile(2.0, lambda: now[0])
    assert [gate.reserve() for _ in range(3)] == [0, 0.5, 1.0]
    now[0] += 10
    assert gate.reserve() == 0
    gate.hold_off(30)
    with pytest.raises(RateLimited) as limited:
        gate.reserve()
    assert limited.value.retry_after_seconds == 30


def test_sources_of_one_account_share_their_turnstile():
    assert turnstile("1", "eu-west-1", "", 5) is turnstile("1", "eu-west-1", "", 2)
    assert turnstile("1", "eu-west-1", "", 5) is not turnstile("1", "eu-west-2", "", 5)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"instance_arn": "arn:aws:s3:::x"}, "instance_arn: 'arn:aws:s3:::x' is no ARN of an instance"),
        ({"queues": {}}, "queues: names no queue"),
        (
            {"queues": {"orders": "arn:aws:connect:x"}},
            "queues.orders: 'arn:aws:connect:x' is no queue of this instance",
        ),
        ({"queues": {"a": QUEUE_ID, "b": f"{ARN}/queue/{QUEUE_ID}"}}, "queues.b: is the queue of 'a' too"),
        ({"channels": ["EMAIL"]}, "channels: 'EMAIL' is not known"),
        ({"access_key_id": "AKIA"}, "access_key_id: and secret_access_key go together"),
        ({"service_level": "mine"}, "service_level: 'mine' is not known"),
        ({"event_queues": {"orders": OTHER_ID}}, "event_queues.orders: is in queues, too"),
    ],
)
def test_a_bad_table_names_its_key(values, sentence):
    with pytest.raises(Invalid, match=r"sources\[0\]") as fault:
        one("sources[0]", TABLE | values)
    assert sentence in str(fault.value)


def test_without_boto3_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Invalid, match=r"holdfire\[amazon\]"):
        one("sources[0]", TABLE)
