"""What Genesys Cloud's facts add up to: each trap of its metrics is here."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.errors import Invalid
from tests.support.vendors.genesys_cloud import OTHER_ID, QUEUE_ID, metric
from workers.sources.genesys_cloud.held import Held
from workers.sources.genesys_cloud.translate import Kind, of_message, of_query
from workers.sources.registry import one
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 9, 46, 55, tzinfo=UTC)
HALF_PAST = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
QUEUES = {QUEUE_ID: "orders", OTHER_ID: "billing"}
ON_TIME = timedelta()


def ms(at):
    return at.timestamp() * 1000


def answer(*groups):
    results = [
        {"group": {"queueId": QUEUE_ID} | ({"mediaType": media} if media else {}), "data": list(metrics)}
        for media, *metrics in groups
    ]
    return of_query({"results": results})


def message(media, *metrics, since=None):
    interval = f"{AT.isoformat()}/{AT.isoformat()}"
    if since is not None:
        interval = f"{since.isoformat()}/{(since + timedelta(minutes=30)).isoformat()}"
    group = {"queueId": QUEUE_ID, "mediaType": media} if media else {"queueId": QUEUE_ID}
    body = {"group": group, "data": [{"interval": interval, "metrics": list(metrics)}]}
    return {"topicName": f"v2.analytics.queues.{QUEUE_ID}.observations", "eventBody": body}


def facts(*arguments, **keywords):
    return of_message(msgspec.json.encode(message(*arguments, **keywords))).facts


def held(*, media=("voice", "chat"), least=10):
    return Held(QUEUES, media, least)


def orders(state, now=AT, ahead=ON_TIME) -> Any:
    seen = {each.queue: each for each in state.observations("genesys", now, ahead)}
    return seen.get("orders")


def test_media_add_up_and_the_oldest_of_them_counts():
    state = held()
    voice = ("voice", metric("oWaiting", 9), metric("oLongestWaiting", ms(AT - timedelta(seconds=90))))
    chat = ("chat", metric("oWaiting", 2), metric("oLongestWaiting", ms(AT - timedelta(seconds=300))))
    state.resync(answer(voice, chat))
    seen = orders(state)
    assert (seen.backlog, seen.oldest_wait_seconds, seen.channel) == (11, 300, None)


def test_the_longest_wait_comes_as_an_instant_and_is_measured_by_their_clock():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 1), metric("oLongestWaiting", ms(AT - timedelta(seconds=60))))))
    assert orders(state).oldest_wait_seconds == 60
    assert orders(state, AT + timedelta(seconds=5)).oldest_wait_seconds == 65
    assert orders(state, AT - timedelta(hours=1), timedelta(hours=1)).oldest_wait_seconds == 60
    assert orders(state, AT - timedelta(minutes=5)).oldest_wait_seconds == 0


@pytest.mark.parametrize("value", [None, 94.0, 94_000.0])
def test_a_wait_that_is_no_instant_is_not_said(value):
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 1), metric("oLongestWaiting", value))))
    assert orders(state).oldest_wait_seconds is None


def test_nobody_waits_whatever_instant_was_left_there():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 0), metric("oLongestWaiting", ms(AT - timedelta(seconds=9))))))
    assert (orders(state).backlog, orders(state).oldest_wait_seconds) == (0, 0)


def test_available_is_idle_on_the_queue_and_staffed_are_those_who_can_be_given_contacts():
    state = held()
    counts = {"IDLE": 3, "INTERACTING": 4, "COMMUNICATING": 1, "NOT_RESPONDING": 2, "OFF_QUEUE": 40}
    state.resync(answer(("", *(metric("oUserRoutingStatuses", each, name) for name, each in counts.items()))))
    seen = orders(state)
    assert (seen.agents_available, seen.agents_busy, seen.agents_staffed, seen.backlog) == (3, 5, 8, None)


def test_only_what_has_changed_comes_and_the_rest_is_held():
    state = held()
    agents = ("", metric("oUserRoutingStatuses", 3, "IDLE"), metric("oUserRoutingStatuses", 5, "INTERACTING"))
    state.resync(answer(("voice", metric("oWaiting", 1)), ("chat", metric("oWaiting", 2)), agents))
    state.apply(facts("voice", metric("oWaiting", 7)))
    state.apply(facts("", metric("oUserRoutingStatuses", 2, "IDLE")))
    seen = orders(state)
    assert (seen.backlog, seen.agents_available, seen.agents_busy) == (9, 2, 5)


def test_a_full_answer_forgets_what_it_leaves_out_but_not_what_was_told_meanwhile():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 5)), ("chat", metric("oWaiting", 5))))
    state.asked()
    state.apply(facts("voice", metric("oWaiting", 40)))
    state.resync(answer(("voice", metric("oWaiting", 5))))
    assert orders(state).backlog == 40
    state.resync(answer())
    assert orders(state) is None


def test_media_that_do_not_count_and_unknown_queues_change_nothing():
    state = held(media=("voice",))
    state.resync(answer(("voice", metric("oWaiting", 1)), ("email", metric("oWaiting", 900))))
    assert (orders(state).backlog, orders(state).channel) == (1, "voice")
    other = {"group": {"queueId": "other", "mediaType": "voice"}, "data": [metric("oWaiting", 1)]}
    state.apply(of_query({"results": [other]}))
    assert len(state.observations("genesys", AT, ON_TIME)) == 1


def counted(offered=40, answered=20, wait_ms=300_000, within=15, abandoned=5):
    return (
        {"metric": "nOffered", "stats": {"count": offered}},
        {"metric": "tAnswered", "stats": {"count": answered, "sum": wait_ms}},
        {"metric": "tHandle", "stats": {"count": answered, "sum": 4_000_000}},
        {"metric": "tAbandon", "stats": {"count": abandoned, "sum": 81_000}},
        {"metric": "oServiceLevel", "stats": {"ratio": 0.75, "numerator": within, "denominator": answered}},
    )


def test_times_are_milliseconds_and_averages_are_weighed_by_their_counts():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 0))))
    state.apply(facts("voice", *counted(), since=HALF_PAST))
    state.apply(facts("chat", *counted(answered=60, wait_ms=60_000, within=60), since=HALF_PAST))
    seen = orders(state)
    assert seen.speed_to_answer_seconds == pytest.approx(360 / 80)
    assert seen.handle_time_seconds == pytest.approx(8000 / 80)
    assert seen.service_level_ratio == pytest.approx(75 / 80)
    assert seen.abandonment_ratio == pytest.approx(10 / 90)
    assert seen.window_seconds == (AT - HALF_PAST).total_seconds()


def test_early_in_a_half_hour_a_level_of_two_contacts_is_noise():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 0))))
    state.apply(facts("voice", *counted(), since=HALF_PAST - timedelta(minutes=30)))
    state.apply(facts("voice", *counted(offered=2, answered=2, within=0), since=HALF_PAST))
    seen = orders(state, HALF_PAST + timedelta(minutes=2))
    assert (seen.service_level_ratio, seen.speed_to_answer_seconds) == (None, None)


def test_a_half_hour_that_is_over_says_nothing_and_an_older_one_changes_nothing():
    state = held()
    state.resync(answer(("voice", metric("oWaiting", 0))))
    state.apply(facts("voice", *counted(), since=HALF_PAST))
    state.apply(facts("voice", *counted(within=0), since=HALF_PAST - timedelta(minutes=30)))
    assert orders(state).service_level_ratio == 0.75
    assert orders(state, HALF_PAST + timedelta(minutes=30)).service_level_ratio is None


def test_messages_that_are_of_no_queue():
    assert (
        of_message('{"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}').kind
        is Kind.ALIVE
    )
    assert of_message('{"topicName": "v2.system.socket_closing"}').kind is Kind.CLOSING
    for bad in ("{", "[]", '{"topicName": 7}', '{"topicName": "v2.analytics.queues.x.observations", "eventBody": {}}'):
        with pytest.raises(TranslateError):
            of_message(bad)


@pytest.mark.parametrize("bad", [{}, [], {"results": [{}]}, {"results": [{"group": {"queueId": "x"}, "data": [7]}]}])
def test_an_answer_of_another_form_is_a_fault(bad):
    with pytest.raises(TranslateError):
        of_query(bad)


TABLE = {
    "type": "genesys-cloud",
    "region": "mypurecloud.de",
    "client_id": "c",
    "client_secret": "s",
    "queues": {"orders": QUEUE_ID},
}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"region": "https://mypurecloud.de"}, "region: 'https://mypurecloud.de' is no region's domain"),
        ({"queues": {}}, "queues: names no queue"),
        ({"queues": {"orders": "sales"}}, "queues.orders: 'sales' is no queue's id"),
        ({"queues": {"a": QUEUE_ID, "b": QUEUE_ID.upper()}}, "queues.b: is the queue of 'a' too"),
        ({"media": ["fax"]}, "media: 'fax' is not known"),
        ({"client_secret": ""}, "client_secret: is not text"),
    ],
)
def test_a_bad_table_names_its_key(values, sentence):
    with pytest.raises(Invalid) as fault:
        one("sources[0]", TABLE | values)
    assert sentence in str(fault.value)


def test_a_metric_told_by_qualifier_too_counts_by_its_largest():
    known = held()
    known.resync(answer(("voice", metric("oWaiting", 50), metric("oWaiting", 0, "SOME"))))
    (seen,) = known.observations("genesys", AT, ON_TIME)
    assert seen.backlog == 50
