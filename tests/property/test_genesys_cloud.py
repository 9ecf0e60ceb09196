"""Whatever Genesys Cloud may answer or send is facts or a fault; whatever facts come, observations are acceptable."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import observation
from tests.support.vendors.genesys_cloud import QUEUE_ID
from workers.sources.genesys_cloud.held import Held
from workers.sources.genesys_cloud.translate import of_message, of_query
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 9, 46, 55, tzinfo=UTC)
NAMES = [
    "oWaiting",
    "oLongestWaiting",
    "oInteracting",
    "oUserRoutingStatuses",
    "tAnswered",
    "oServiceLevel",
    "tAbandon",
]

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5
)
numbers = st.integers(0, 10**6) | st.floats(0, 1e6)
stats = st.dictionaries(
    st.sampled_from(["count", "sum", "numerator", "denominator", "calculatedMetricValue"]), numbers | scalars
)
metrics = st.fixed_dictionaries(
    {"metric": st.sampled_from(NAMES), "qualifier": st.sampled_from(["IDLE", None, "x"]), "stats": stats | anything}
)
groups = st.fixed_dictionaries({"queueId": st.just(QUEUE_ID), "mediaType": st.sampled_from(["voice", None])})
data = st.lists(metrics | anything, max_size=4)
results = st.lists(st.fixed_dictionaries({"group": groups | anything, "data": data | anything}) | anything, max_size=3)
intervals = st.sampled_from(
    [f"{AT.isoformat()}/{AT.isoformat()}", "2026-11-21T09:30:00Z/2026-11-21T10:00:00Z", "x/y", None]
)
timed = st.fixed_dictionaries({"interval": intervals, "metrics": data | anything})
bodies = st.fixed_dictionaries({"group": groups | anything, "data": st.lists(timed | anything, max_size=3) | anything})


def problems_of(facts):
    """Return what is wrong with the observations that facts give, but for numbers that are too large."""
    state = Held({QUEUE_ID: "orders"}, ["voice"], 1)
    state.resync(facts)
    found = (
        each for given in state.observations("genesys", AT, timedelta()) for each in observation.problems(given, AT)
    )
    return [problem for problem in found if "outside 0 to" not in problem.detail]


@given(st.fixed_dictionaries({"results": results | anything}) | anything)
def test_any_answer_is_facts_or_a_fault(answer):
    try:
        facts = of_query(answer)
    except TranslateError:
        return
    assert problems_of(facts) == []


@given(bodies | anything)
def test_any_message_is_facts_or_a_fault(body):
    topic = f"v2.analytics.queues.{QUEUE_ID}.observations"
    try:
        message = of_message(msgspec.json.encode({"topicName": topic, "eventBody": body}))
    except TranslateError:
        return
    assert problems_of(message.facts) == []


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_text_is_a_message_or_a_fault(text):
    try:
        message = of_message(text)
    except TranslateError:
        return
    assert problems_of(message.facts) == []
