import pytest

from app.core.event import HOLDFIRE, Event, EventType
from app.core.webhooks.subscription import TOLD, WITHDRAWS_BY_CAMPAIGN, WITHDRAWS_BY_SUBJECT, wants
from tests.support.builders import NOW


def event(kind, subject="gate/default", gate="default"):
    return Event(kind, NOW, HOLDFIRE, subject, gate=gate)


@pytest.mark.parametrize(
    ("types", "gate", "wanted"),
    [
        ((), None, True),
        (("decision.hold",), None, True),
        (("decision.send",), None, False),
        ((), "default", True),
        ((), "other", False),
        (("decision.hold",), "other", False),
    ],
)
def test_a_receiver_hears_of_the_types_and_the_gate_it_named(types, gate, wanted):
    assert wants(event(EventType.DECISION_HOLD), "whk_1", types, gate) is wanted


def test_nobody_hears_of_what_is_not_told_even_if_named():
    assert not wants(event(EventType.PERMIT_GRANTED), "whk_1", ("permit.granted",), None)


def test_a_test_reaches_the_receiver_it_tests_and_nobody_else():
    test = event(EventType.WEBHOOK_TESTED, "webhook/whk_1", None)
    assert wants(test, "whk_1", ("decision.send",), "other")
    assert not wants(test, "whk_2", (), None)


def test_only_what_is_told_withdraws_or_is_withdrawn_and_nothing_withdraws_itself():
    for table in (WITHDRAWS_BY_SUBJECT, WITHDRAWS_BY_CAMPAIGN):
        for stop, goes in table.items():
            assert {stop, *goes} <= set(TOLD)
            assert stop not in goes
