"""What makes an override, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.gate.override import Effect, Matcher
from app.errors import Invalid
from app.services.override_draft import OverrideDraft, override_of
from tests.support.builders import NOW, after

DRAFT = OverrideDraft(Effect.HOLD, "phones are down", ends_at=after(3600), created_by="Ann")


def made(draft, most_minutes=480):
    return override_of(draft, "ovr_1", "default", "dashboard", NOW, most_minutes=most_minutes)


def faults(draft, most_minutes=480):
    with pytest.raises(Invalid) as refused:
        made(draft, most_minutes)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


def test_it_begins_now_and_says_who_and_why():
    override = made(replace(DRAFT, comment=" phones are down ", created_by=" Ann "))
    assert (override.starts_at, override.ends_at, override.created_at) == (NOW, after(3600), NOW)
    assert (override.created_by, override.comment) == ("Ann", "phones are down")


def test_without_a_persons_name_it_is_by_the_key():
    assert made(replace(DRAFT, created_by=None)).created_by == "dashboard"


def test_a_duration_counts_from_its_beginning():
    override = made(replace(DRAFT, ends_at=None, duration_minutes=30, starts_at=after(600)))
    assert (override.starts_at, override.ends_at) == (after(600), after(600 + 1800))


def test_a_beginning_a_moment_ago_is_now_because_clocks_differ():
    assert made(replace(DRAFT, starts_at=after(-60))).starts_at == NOW


def test_it_may_last_as_long_as_the_policy_allows_and_not_a_microsecond_longer():
    longest = replace(DRAFT, ends_at=after(480 * 60))
    assert made(longest)
    assert (
        "(max_override_minutes)"
        in faults(replace(longest, ends_at=after(480 * 60) + timedelta(microseconds=1)))["/ends_at"]
    )


def matching(name="campaign", value="spring", **more):
    return replace(DRAFT, matchers=(Matcher(name, value, **more),))


@pytest.mark.parametrize(
    ("draft", "pointer", "says"),
    [
        (replace(DRAFT, ends_at=None), "/ends_at", "must end"),
        (replace(DRAFT, ends_at=NOW), "/ends_at", "is past"),
        (replace(DRAFT, ends_at=after(-1)), "/ends_at", "is past"),
        (replace(DRAFT, starts_at=after(3600)), "/ends_at", "not after it begins"),
        (replace(DRAFT, duration_minutes=3), "/duration_minutes", "not both"),
        (replace(DRAFT, ends_at=after(481 * 60)), "/ends_at", "481 minutes are longer than the 480"),
        (replace(DRAFT, ends_at=None, duration_minutes=481), "/duration_minutes", "longer than the 480"),
        (replace(DRAFT, starts_at=after(-61)), "/starts_at", "is past"),
        (replace(DRAFT, starts_at=NOW + timedelta(days=367)), "/starts_at", "366 days ahead"),
        (replace(DRAFT, comment=""), "/comment", "say why"),
        (replace(DRAFT, comment=" \t "), "/comment", "say why"),
        (replace(DRAFT, comment="a\nb"), "/comment", "printable"),
        (replace(DRAFT, comment="x" * 501), "/comment", "1 to 500"),
        (replace(DRAFT, created_by="  "), "/created_by", "1 to 100"),
        (replace(DRAFT, even_without_data=True), "/even_without_data", "an override that allows"),
        (matching("queue", "orders"), "/matchers/0/name", "use campaign or traffic_class"),
        (matching("traffic_class", "bulk"), "/matchers/0/value", "use promotional or service"),
        (matching(value="x" * 129), "/matchers/0/value", "up to 128"),
        (matching(value="(a+)+", is_regex=True), "/matchers/0/value", "not taken here"),
        (replace(DRAFT, matchers=(Matcher("campaign", "a"),) * 11), "/matchers", "10 are allowed"),
    ],
)
def test_a_fault_is_told_where_it_is(draft, pointer, says):
    found = faults(draft)
    assert list(found) == [pointer]
    assert says in found[pointer]


def test_all_faults_are_told_at_once():
    assert set(faults(replace(DRAFT, ends_at=NOW, comment="", created_by=""))) == {
        "/ends_at",
        "/comment",
        "/created_by",
    }
