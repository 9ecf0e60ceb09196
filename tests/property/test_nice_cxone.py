"""Whatever CXone may answer is read or refused, and never anything else."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import observation
from app.core.floor.observation import Observation
from tests.support.vendors.nice_cxone import Cxone
from workers.sources.nice_cxone.translate import translate
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
counts = scalars | st.integers(0, 99).map(str)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=3), scalars, max_size=2)
instants = st.sampled_from([(AT - timedelta(hours=hour)).isoformat() for hour in (0, 1, 99)])
names = sorted({*Cxone().skill(1, 1), "skillQueueCount"} - {"skillId"})
members = dict.fromkeys(names, counts | anything)
rows = st.fixed_dictionaries(
    {"skillId": st.sampled_from([4711, "4711", "1"]) | anything},
    optional=members | {"serverTime": instants | anything, "earliestQueueTime": instants | anything},
)


@given(st.fixed_dictionaries({"skillActivity": st.lists(rows | anything, max_size=3) | anything}) | anything)
def test_any_answer_is_acceptable_observations_or_a_fault(answer):
    try:
        lot = translate(answer, {"4711": "orders", "1": "billing"}, "s", AT)
    except TranslateError:
        return
    for each in lot.payloads:
        assert isinstance(each, Observation)
        beyond = [problem for problem in observation.problems(each, AT) if "outside 0 to" not in problem.detail]
        assert beyond == []
