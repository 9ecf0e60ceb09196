from math import inf, nan

import pytest

from app.core.floor.targets import QueueTargets, problems


@pytest.mark.parametrize(
    ("member", "fine", "wrong"),
    [
        ("service_level_seconds", (0.1, 20, 86_400), (0, -1, 86_401, nan, inf)),
        ("short_abandon_seconds", (0, 5.5, 86_400), (-0.1, 86_401, nan)),
        ("concurrency", (1, 2.5, 100), (0.9, 101, nan)),
        ("title", (None, "O", "Bestellungen (Telefon)"), ("", "x" * 129, "a\nb", "\x00")),
    ],
)
def test_what_may_be_set_of_a_queue_and_what_not(member, fine, wrong):
    for value in fine:
        assert list(problems(QueueTargets(**{member: value}))) == []
    for value in wrong:
        assert [fault.pointer for fault in problems(QueueTargets(**{member: value}))] == [f"/{member}"]


def test_every_fault_is_told_at_once():
    assert len(list(problems(QueueTargets(0, short_abandon_seconds=-1, title="", concurrency=0)))) == 4
