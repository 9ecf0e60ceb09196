from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.observation import Observation
from app.errors import Invalid
from tests.support.builders import NOW
from workers.sources.mapping.config import row_map
from workers.sources.mapping.units import BadValue, value_in
from workers.systems.faults import TranslateError
from workers.systems.table import Table

CALLER = "+1 555 0100 100"


def a_map(*, columns=False, queues=None, **mapping):
    values = {"mapping": mapping} | ({"queues": queues} if queues else {})
    table = Table("sources[0]", values, {})
    found = row_map(table, "acd", columns=columns)
    table.done()
    return found


def read(document, **mapping):
    return a_map(**({"queue_from": "name", "metrics": {"backlog": "waiting"}} | mapping)).read(document, NOW)


def rejections(document, **mapping):
    return [(each.row, each.field, each.detail) for each in read(document, **mapping).rejected]


def test_rows_become_observations_by_the_mapping_alone():
    document = {
        "data": {
            "queues": [
                {"name": "orders", "media": "voice", "caller": CALLER, "live": {"waiting": 12, "oldestMs": 94_500}},
                {"name": "billing", "media": "chat", "sl": "71.5 %", "live": {"waiting": "0", "oldestMs": None}},
            ]
        },
        "at": 1_795_273_445_000,
    }
    lot = read(
        document,
        rows="data.queues",
        channel_from="media",
        observed_at_from="at",
        observed_at_in="document",
        observed_at_unit="epoch-milliseconds",
        window_seconds=300,
        metrics={
            "backlog": "live.waiting",
            "oldest_wait_seconds": {"from": "live.oldestMs", "unit": "milliseconds"},
            "service_level_ratio": {"from": "sl", "unit": "percent"},
        },
    )
    at = datetime.fromtimestamp(1_795_273_445, UTC)
    orders = Observation("orders", at, "acd", "voice", backlog=12, oldest_wait_seconds=94.5, window_seconds=300)
    billing = Observation(
        "billing",
        at,
        "acd",
        "chat",
        backlog=0,
        oldest_wait_seconds=0.0,
        service_level_ratio=0.715,
        window_seconds=300,
    )
    assert list(lot.payloads) == [orders, billing]
    assert lot.rejected == []


def test_null_absent_empty_and_minus_one_are_not_said_and_never_zero():
    metrics = {"backlog": "a", "agents_staffed": "b", "agents_busy": "c", "agents_available": "d", "offered": "e"}
    lot = read({"name": "x", "a": 2, "b": None, "c": -1, "d": ""}, metrics=metrics, window_seconds=60)
    assert lot.payloads == [Observation("x", NOW, "acd", backlog=2, window_seconds=60)]
    assert rejections({"name": "x", "a": -1}) == [(1, "", "none of the mapped metrics is said")]


def test_members_of_an_object_are_rows_and_their_names_the_queues():
    lot = a_map(queue_from_key=True, rows="q", metrics={"backlog": "w"}).read(
        {"q": {"a": {"w": 1}, "b": {"w": 2}}}, NOW
    )
    assert [(each.queue, each.backlog) for each in lot.payloads] == [("a", 1), ("b", 2)]


def test_one_queue_needs_no_name_in_the_answer():
    lot = a_map(queue="orders", channel="voice", metrics={"backlog": "length(calls)"}).read({"calls": [1, 2]}, NOW)
    assert lot.payloads == [Observation("orders", NOW, "acd", "voice", backlog=2)]


def test_only_the_queues_wanted_are_read():
    found = a_map(queues=["orders*"], queue_from="name", metrics={"backlog": "w"})
    lot = found.read([{"name": "orders-1", "w": 1}, {"name": "hr", "w": "nonsense"}], NOW)
    assert [each.queue for each in lot.payloads] == ["orders-1"]
    assert lot.rejected == []


@pytest.mark.parametrize(
    ("row", "field", "detail"),
    [
        ({"waiting": 1}, "queue", "queue_from gives nothing"),
        ({"name": CALLER, "waiting": 1}, "queue", "looks like a number or an address"),
        ({"name": ["x"], "waiting": 1}, "queue", "queue_from: what name gives is no name"),
        ({"name": "x", "waiting": CALLER}, "backlog", "what waiting gives is a text, not a number"),
        ({"name": "x", "waiting": 1.5}, "backlog", "what waiting gives is not a whole number"),
        ({"name": "x", "waiting": True}, "backlog", "what waiting gives is true or false, not a number"),
        ({"name": "x", "waiting": []}, "backlog", "what waiting gives is a list, not a number"),
        ({"name": "x", "waiting": {"n": 1}}, "backlog", "what waiting gives is an object, not a number"),
    ],
)
def test_a_bad_row_is_rejected_without_being_quoted_and_the_others_are_read(row, field, detail):
    lot = read([row, {"name": "y", "waiting": 3}])
    (rejected,) = lot.rejected
    assert (rejected.row, rejected.field) == (1, field)
    assert detail in rejected.detail
    assert CALLER not in rejected.detail
    assert [each.queue for each in lot.payloads] == ["y"]


def test_two_rows_of_one_queue_are_both_refused_since_only_one_would_count():
    lot = read([{"name": "x", "waiting": 0}, {"name": "y", "waiting": 1}, {"name": "x", "waiting": 50}])
    assert [each.queue for each in lot.payloads] == ["y"]
    assert [(each.row, each.field) for each in lot.rejected] == [(1, "queue"), (3, "queue")]
    assert "rows 1, 3 are of one queue and instant" in lot.rejected[0].detail


@pytest.mark.parametrize("bad", ["many", None])
def test_a_row_is_not_taken_for_the_whole_queue_because_its_twin_was_rejected(bad):
    lot = read([{"name": "x", "waiting": bad}, {"name": "y", "waiting": 1}, {"name": "x", "waiting": 0}])
    assert [each.queue for each in lot.payloads] == ["y"]
    assert [each.row for each in lot.rejected] == [1, 3]
    assert "rows 1, 3 are of one queue and instant" in lot.rejected[1].detail


def test_rows_of_two_channels_are_not_of_one_queue_whatever_their_instants():
    rows = [
        {"name": "x", "media": "voice", "waiting": 50, "at": "2026-11-21T15:04:05Z"},
        {"name": "x", "media": "chat", "waiting": 0, "at": "2026-11-21T15:04:06Z"},
        {"name": "y", "media": "chat", "waiting": 1, "at": "2026-11-21T15:04:05Z"},
        {"name": "y", "media": "chat", "waiting": 2, "at": "2026-11-21T15:04:06Z"},
    ]
    lot = read(rows, observed_at_from="at", channel_from="media")
    assert [(each.queue, each.backlog) for each in lot.payloads if isinstance(each, Observation)] == [
        ("y", 1),
        ("y", 2),
    ]
    assert [each.row for each in lot.rejected] == [1, 2]
    assert "rows 1, 2 are of one queue and several channels" in lot.rejected[0].detail


@pytest.mark.parametrize("voice", [50, "many"], ids=["a part that is full", "a part that cannot be read"])
def test_rows_with_instants_of_their_own_may_be_parts_of_a_queue_so_the_newest_is_not_taken_for_all(voice):
    rows = [
        {"name": "x", "waiting": voice, "at": "2026-11-21T15:04:05Z"},
        {"name": "x", "waiting": 0, "at": "2026-11-21T15:04:06Z"},
        {"name": "y", "waiting": 1, "at": "2026-11-21T15:04:05Z"},
    ]
    lot = read(rows, observed_at_from="at")
    assert [each.queue for each in lot.payloads] == ["y"]
    assert "rows 1, 2 are of one queue and several instants" in lot.rejected[-1].detail
    history = read(rows, observed_at_from="at", history=True)
    assert [each.queue for each in history.payloads] == (["x", "x", "y"] if voice == 50 else ["x", "y"])


def test_an_instant_that_makes_no_sense_rejects_its_row():
    mapping, gives = {"observed_at_from": "at"}, "observed_at_from: what at gives"
    rows = [
        {"name": "a", "waiting": 1, "at": "2026-11-21T15:04:05Z"},
        {"name": "b", "waiting": 1, "at": "2026-11-21T15:04:05"},
        {"name": "c", "waiting": 1, "at": "yesterday"},
        {"name": "d", "waiting": 1},
    ]
    assert rejections(rows, **mapping) == [
        (2, "observed_at", f"{gives} is an instant without a time zone; set time_zone to the one that is meant"),
        (3, "observed_at", f"{gives} is not an instant (RFC 3339)"),
        (4, "observed_at", "observed_at_from: at gives nothing"),
    ]
    lot = read(rows[1], time_zone="America/Chicago", **mapping)
    assert lot.payloads[0].observed_at == datetime(2026, 11, 21, 21, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "mapping", "sentence"),
    [
        ({}, {"rows": "data"}, "rows: data finds nothing in what came"),
        ({"q": 1}, {"rows": "length(q)"}, "rows: the expression fails: a function gets what it cannot take"),
        ([{}] * 10_001, {}, "rows: @ gives 10,001 rows; 10,000 are read"),
        ([], {"observed_at_from": "at", "observed_at_in": "document"}, "observed_at_from: at gives nothing"),
    ],
)
def test_a_document_without_rows_makes_no_sense(document, mapping, sentence):
    with pytest.raises(TranslateError, match=sentence.replace("(", r"\(")):
        read(document, **mapping)


def test_no_rows_say_nothing():
    lot = read([])
    assert (lot.payloads, lot.rejected) == ([], [])


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("seconds", "12.5", 12.5),
        ("milliseconds", 1500, 1.5),
        ("minutes", 2, 120.0),
        ("hh:mm:ss", "01:02:03", 3723.0),
        ("hh:mm:ss", "02:03", 123.0),
        ("hh:mm:ss", 7, 7.0),
        ("percent", "80", 0.8),
        ("ratio", 1, 1.0),
        ("count", 3.0, 3),
        ("iso", NOW - timedelta(seconds=90), 90.0),
        ("iso", NOW + timedelta(seconds=30), 0.0),
        ("epoch-seconds", NOW.timestamp() - 5, 5.0),
        ("epoch-milliseconds", NOW.timestamp() * 1000 - 5000, 5.0),
        ("iso", None, None),
        ("epoch-seconds", -1, None),
    ],
)
def test_values_are_read_in_our_units(unit, value, expected):
    given = value.isoformat() if isinstance(value, datetime) else value
    assert value_in(unit, given, NOW, None) == expected


@pytest.mark.parametrize(
    ("unit", "value", "why"),
    [
        ("iso", (NOW + timedelta(hours=1)).isoformat(), "3,600 s ahead"),
        ("iso", 7, "not an instant as text"),
        ("epoch-seconds", 10**15, "no clock shows"),
        ("hh:mm:ss", "1:2:3", "a text, not a number"),
        ("seconds", float("inf"), "not a finite number"),
        ("count", 10**400, "not a finite number"),
        ("epoch-seconds", 10**400, "not a finite number"),
        ("seconds", 10**400, "not a finite number"),
        ("seconds", "1e3", "a text, not a number"),
        ("seconds", "\uff11", "a text, not a number"),
    ],
)
def test_what_cannot_be_meant_is_refused(unit, value, why):
    with pytest.raises(BadValue, match=why):
        value_in(unit, value, NOW, None)


GOOD = {"queue": "orders", "metrics": {"backlog": "w"}}


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({}, r"mapping.queue: and queue_from are missing; give one"),
        (GOOD | {"queue_from": "q"}, r"mapping.queue: and queue_from are both there"),
        (GOOD | {"metrics": {}}, r"mapping.metrics: is missing"),
        (GOOD | {"metrics": {"backlogs": "w"}}, r"metrics.backlogs: is not a metric; known are backlog"),
        (GOOD | {"metrics": {"backlog": "a["}}, r"metrics.backlog: 'a\[' is not a JMESPath expression: it ends"),
        (GOOD | {"metrics": {"backlog": "a b"}}, r"'a b' is not a JMESPath expression: .* from character 3 on"),
        (GOOD | {"metrics": {"backlog": "x[].items(@)"}}, r"metrics.backlog: there is no function items\(\)"),
        (GOOD | {"metrics": {"backlog": "a" * 501}}, r"the expression has 501 characters"),
        (GOOD | {"metrics": {"backlog": {"from": "w", "unit": "ms"}}}, r"backlog.unit: 'ms' is not known"),
        (GOOD | {"metrics": {"backlog": {"from": "w", "x": 1}}}, r"backlog.x: is not known"),
        (GOOD | {"metrics": {"offered": "o"}}, r"window_seconds: is missing, and metrics.offered is counted"),
        (GOOD | {"metrics": {"wait_seconds_sum": "o"}, "window_seconds": 60}, r"needs metrics.answered"),
        (GOOD | {"time_zone": "Mars/Base"}, r"time_zone: 'Mars/Base' is not known"),
        (GOOD | {"channel": "voice", "channel_from": "c"}, r"channel: and channel_from are both there"),
        (GOOD | {"observed_at_unit": "unix"}, r"observed_at_unit: 'unix' is not known"),
        (GOOD | {"colour": "red"}, r"mapping.colour: is not known"),
    ],
)
def test_a_bad_mapping_is_refused_naming_the_key(mapping, sentence):
    with pytest.raises(Invalid, match=sentence):
        a_map(**mapping)
