"""Patterns that may be matched while somebody waits."""

import re
from time import perf_counter

import pytest

from app.core.gate.pattern import pattern_fault


@pytest.mark.parametrize(
    "pattern",
    [
        "", "spring", "spring-.*", ".*spring.*", "spring|summer", "(spring|summer)-20[0-9]{2}", r"[a-z]{2,5}-\d+",
        "(?:a|b)c?", "((a|b)|c)", r"a\.b\-c", "[]a]", "[^-]x", "é.*",
    ],
)  # fmt: skip
def test_what_people_write_is_taken(pattern):
    assert pattern_fault(pattern) is None
    re.compile(pattern)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(a+)+", "not taken"),
        ("(a|aa)+", "not taken"),
        ("(a*)*b", "not taken"),
        ("(a|b){2,9}", "not taken"),
        (r"(.)\1", "not taken"),
        ("(?=a)a", "not taken"),
        ("(?i)a", "not taken"),
        ("^a$", "not taken"),
        (r"\bfoo", "not taken"),
        ("a*?", "not taken"),
        ("(a", "incomplete"),
        ("a)", "incomplete"),
        ("[a", "incomplete"),
        ("[[a]", "not taken"),
        ("a\\", "incomplete"),
        ("*a", "incomplete"),
        ("[z-a]", "no regular expression"),
        ("a{5,2}", "no regular expression"),
        (".*.*.*x", "too long to match"),
        ("a?" * 15, "too long to match"),
        ("(a|a)" * 15, "too long to match"),
        ("x" * 201, "200 are allowed"),
    ],
)
def test_what_could_take_for_ever_or_is_no_pattern_is_refused(pattern, says):
    assert says in (pattern_fault(pattern) or "")


def test_the_slowest_that_is_taken_is_quick():
    slowest = ".*.*x"
    assert pattern_fault(slowest) is None
    started = perf_counter()
    assert re.fullmatch(slowest, "a" * 128) is None
    assert perf_counter() - started < 5  # what cannot be taken takes for ever
