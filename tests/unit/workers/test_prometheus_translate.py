from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.observation import Observation
from workers.sources.prometheus.translate import Asked, Queries, series, translate
from workers.systems.faults import TranslateError

AT = 1_795_273_445.5
QUERIES = Queries(
    "prom",
    "timestamp(x)",
    (Asked("backlog", "x", "count"), Asked("oldest_wait_seconds", "y", "milliseconds")),
    queue_label="queue",
)


def answer(*samples, kind="vector", **beside):
    result = [{"metric": {"queue": queue}, "value": [AT + 9, value]} for queue, value in samples]
    return {"status": "success", "data": {"resultType": kind, "result": result}, **beside}


def read(backlog, oldest=None, at=None, queries=QUERIES):
    ats = at or answer(*((queue, str(AT)) for queue in ("a", "b", "c")))
    return translate({"observed_at": ats, "backlog": backlog, "oldest_wait_seconds": oldest or answer()}, queries)


def test_values_get_the_instant_of_the_data_not_of_the_evaluation():
    lot = read(answer(("a", "3"), ("b", "0")), answer(("a", "94500")))
    at = datetime.fromtimestamp(AT, UTC)
    assert lot.payloads == [
        Observation("a", at, "prom", backlog=3, oldest_wait_seconds=94.5),
        Observation("b", at, "prom", backlog=0, oldest_wait_seconds=0.0),
    ]
    assert [(each.row, each.detail) for each in lot.rejected] == [
        (3, "none of the queries gives a number for this queue")
    ]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_what_is_no_number_is_not_said(value):
    assert [each.queue for each in read(answer(("a", value), ("b", "1"))).payloads] == ["b"]


def test_several_series_of_one_queue_are_refused_even_when_one_is_nan():
    lot = read(answer(("a", "1"), ("a", "NaN"), ("b", "2")))
    assert [each.queue for each in lot.payloads] == ["b"]
    assert lot.rejected[0].detail.startswith("backlog: several series are of one queue; aggregate them")


def test_a_queue_without_an_instant_of_its_data_is_refused():
    lot = read(answer(("x", "1")))
    assert ("observed_at", "observed_at_query gives nothing for this queue") in [
        (each.field, each.detail) for each in lot.rejected
    ]


@pytest.mark.parametrize(
    ("value", "sentence"), [("2.5", "what the query gives is not a whole number"), ("1e999", "none of the queries")]
)
def test_a_value_that_makes_no_sense_rejects_its_queue(value, sentence):
    assert sentence in read(answer(("a", value))).rejected[0].detail


def test_one_queue_may_come_without_a_label():
    queries = Queries("prom", "t", (Asked("backlog", "x", "count"),), queue_label=None, queue="orders")
    scalar = {"status": "success", "data": {"resultType": "scalar", "result": [AT, "4"]}}
    ats = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [AT, str(AT)]}]}}
    (payload,) = translate({"observed_at": ats, "backlog": scalar}, queries).payloads
    assert payload == Observation("orders", datetime.fromtimestamp(AT, UTC), "prom", backlog=4)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (None, "not that of a successful query"),
        ({"status": "error", "errorType": "timeout"}, "not that of a successful query"),
        (answer(warnings=["partial"]), "has warnings and may be partial"),
        (answer(kind="matrix"), "gives no instant vector"),
        ({"status": "success"}, "gives no instant vector"),
        ({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}}, "has no plain value"),
        (answer(("", "1")), "has no label 'queue'"),
        (answer(("a", "one")), "has no plain value"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(document, sentence):
    with pytest.raises(TranslateError, match=f"backlog: .*{sentence}"):
        series(document, QUERIES, "backlog")


def test_warnings_can_be_accepted():
    accepting = Queries("prom", "t", QUERIES.metrics, "queue", warnings_accepted=True)
    assert series(answer(("a", "1"), warnings=["partial"]), accepting, "backlog").values == {"a": 1.0}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
)
NUMBERS = st.sampled_from(["1", "NaN", "-1", "1e300", "9e18", "x"]) | st.text(max_size=3)
SAMPLES = st.fixed_dictionaries(
    {"metric": st.fixed_dictionaries({"queue": st.sampled_from(["a", "b", "+1 555 0100 100"])}) | ANYTHING},
    optional={"value": st.tuples(st.floats() | ANYTHING, NUMBERS | ANYTHING).map(list) | ANYTHING},
)
ANSWERS = ANYTHING | st.lists(SAMPLES | ANYTHING, max_size=3).map(
    lambda result: {"status": "success", "data": {"resultType": "vector", "result": result}}
)


@given(st.fixed_dictionaries({"observed_at": ANSWERS, "backlog": ANSWERS, "oldest_wait_seconds": ANSWERS}))
def test_any_answers_are_read_or_refused(answers):
    try:
        lot = translate(answers, QUERIES)
    except TranslateError:
        return
    assert all(isinstance(each, Observation) and each.queue in {"a", "b"} for each in lot.payloads)
