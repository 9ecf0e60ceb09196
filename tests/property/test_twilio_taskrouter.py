"""Whatever TaskRouter may answer is read or refused, and never anything else."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import observation
from workers.sources.twilio_taskrouter.translate import current, windowed
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
counts = scalars | st.integers(0, 99).map(str)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=3), scalars, max_size=2)
statuses = st.dictionaries(st.sampled_from(["pending", "reserved", "assigned"]), counts)
split = st.fixed_dictionaries(
    {"20": st.fixed_dictionaries({"below": st.fixed_dictionaries({"reservations_accepted": counts}) | anything})}
)
instants = st.sampled_from([(AT - timedelta(hours=hour)).isoformat() for hour in (0, 1, 30)])
answers = st.fixed_dictionaries(
    {},
    optional={
        "tasks_by_status": statuses | anything,
        "longest_task_waiting_age": counts,
        "total_available_workers": anything,
        "start_time": instants | anything,
        "end_time": instants | anything,
        "tasks_entered": counts,
        "reservations_accepted": counts,
        "avg_task_acceptance_time": counts,
        "split_by_wait_time": split | anything,
    },
)


@given(answers | anything)
def test_any_answer_is_an_acceptable_observation_or_a_fault(answer):
    for translate in (lambda: current(answer, "q", "s", AT, "WQ1"), lambda: windowed(answer, "q", "s", 20)):
        try:
            found = translate()
        except TranslateError:
            continue
        assert found is None or observation.problems(found, AT) == ()
