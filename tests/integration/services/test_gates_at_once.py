"""What people change about a gate counts in the very next answer, not only from the evaluator's next tick on."""

import pytest

from app.errors import NotFound
from app.services.asks import Question
from tests.support.whole import POLICY, a_whole

QUESTION = Question("default", 500, None, accept_partial=False)


@pytest.fixture
async def services(tmp_path):
    async with a_whole(tmp_path) as whole:
        assert whole.services.readiness.answer("key", QUESTION).status == 200
        yield whole.services


async def test_a_policy_that_was_saved_binds_the_next_answer(services):
    stricter = POLICY | {"max_audience_per_wave": 5}
    await services.gates.save("default", stricter, author="ann", reason="too many", expected=2)
    assert services.readiness.answer("key", QUESTION).status == 429


async def test_a_gate_that_was_deleted_answers_nobody_and_one_made_anew_knows_nothing(services):
    await services.gates.delete("default")
    with pytest.raises(NotFound):
        services.readiness.answer("key", QUESTION)
    await services.gates.create("default")
    assert services.readiness.answer("key", QUESTION).status == 503
