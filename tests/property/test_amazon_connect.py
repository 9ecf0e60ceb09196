"""Whatever Amazon Connect may answer or push is read or refused, and never anything else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import contact, observation
from app.core.floor.observation import Observation
from app.errors import Invalid
from tests.support.vendors.amazon_connect import OTHER_ID, QUEUE_ID, contact_event
from workers.sources.amazon_connect.events import reader
from workers.sources.amazon_connect.translate import CURRENT_UNITS, WINDOWED, WITHIN, Window, current, windowed
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)
WINDOW = Window(AT - timedelta(minutes=30), AT)
QUEUES = {QUEUE_ID: "orders", OTHER_ID: "billing"}

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5
)
names = st.sampled_from([*CURRENT_UNITS, *WINDOWED, WITHIN, "SERVICE_LEVEL"])
collections = st.lists(
    st.fixed_dictionaries({"Metric": st.fixed_dictionaries({"Name": names | anything}) | anything, "Value": anything}),
    max_size=4,
)
queues = st.sampled_from([QUEUE_ID, OTHER_ID, "other"]) | anything
dimensions = st.fixed_dictionaries(
    {"Queue": st.fixed_dictionaries({"Id": queues}) | anything, "QUEUE": queues, "Channel": anything}
)
rows = st.fixed_dictionaries({"Dimensions": dimensions | anything, "Collections": collections | anything}) | anything
pages = st.fixed_dictionaries(
    {"DataSnapshotTime": st.just(AT) | anything, "MetricResults": st.lists(rows, max_size=3) | anything}
)


@given(st.lists(pages | anything, max_size=2))
def test_any_answer_is_acceptable_observations_or_a_fault(answer):
    for translate in (lambda: current(answer, QUEUES, "c"), lambda: windowed(answer, QUEUES, "c", WINDOW)):
        try:
            lot = translate()
        except TranslateError:
            continue
        for each in lot.payloads:
            assert isinstance(each, Observation)
            beyond = [problem for problem in observation.problems(each, AT) if "outside 0 to" not in problem.detail]
            assert beyond == []


def with_detail(detail: dict[str, Any]) -> Any:
    event = contact_event("QUEUED", AT.isoformat())
    return event | {"detail": event["detail"] | detail}


members = st.sampled_from(["eventType", "contactId", "channel", "queueInfo", "agentInfo", "disconnectReason"])


@given(st.binary(max_size=60) | st.dictionaries(members, anything).map(
    lambda detail: msgspec.json.encode(with_detail(detail))
))  # fmt: skip
def test_any_push_is_acceptable_events_or_invalid(body):
    try:
        pushed = reader("c", QUEUES)(body)
    except Invalid:
        return
    assert [contact.problems(each, AT) for each in pushed.events if contact.problems(each, AT)] == []
