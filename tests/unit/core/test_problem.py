import copy

import pytest

from app.core.campaign.request import PlanRefused
from app.core.forecast.check import ScenarioRefused
from app.core.forecast.refused import ResponseRefused
from app.core.forecast.soundness import CaseRefused
from app.core.gate.policy import PolicyRefused
from app.core.problem import InputRefused, Problem

FAULTS = (Problem("/agents/3", "-1 must be 0 or more"), Problem("", "has no queue"))


@pytest.mark.parametrize("kind", [PlanRefused, PolicyRefused, ScenarioRefused, CaseRefused, ResponseRefused])
def test_a_refusal_is_the_same_when_another_process_raises_it(kind):
    refused = copy.copy(kind(FAULTS))  # by the same protocol as pickling
    assert type(refused) is kind
    assert refused.problems == FAULTS
    assert str(refused) == str(kind(FAULTS))


def test_a_refusal_tells_its_first_fault_and_how_many_more_there_are():
    assert str(InputRefused(FAULTS)) == "input refused at /agents/3: -1 must be 0 or more (and 1 more)"
    assert str(InputRefused(FAULTS[1:])) == "input refused at its root: has no queue"
