"""Whatever Zendesk Talk may answer is read or refused, and never anything else."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import observation
from tests.support.vendors.zendesk_talk import activity
from workers.sources.zendesk_talk.translate import Lines, translate
from workers.systems.faults import TranslateError

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
counts = scalars | st.integers(0, 99).map(str)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=3), scalars, max_size=2)
answers = st.fixed_dictionaries(
    {"current_queue_activity": st.dictionaries(st.sampled_from(list(activity())), counts | anything) | anything}
)


@given(answers | anything, st.booleans(), st.sampled_from([(), ("1",)]))
def test_any_answer_is_an_acceptable_observation_or_a_fault(answer, callbacks, numbers):
    try:
        found = translate(answer, Lines("q", numbers), "s", AT, callbacks=callbacks)
    except TranslateError:
        return
    assert observation.problems(found, AT) == ()
