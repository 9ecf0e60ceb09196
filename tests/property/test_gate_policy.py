"""Whatever JSON comes in as a policy, it is taken or refused, and a refusal points at what it means."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.metric import Metric
from app.core.gate.policy import PolicyRefused, default_policy_document, parse_policy
from app.core.problem import Problem

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
any_json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
numbers = st.floats() | st.integers() | st.sampled_from([0, 1, 0.5, 10, -1])
times = st.sampled_from(["00:00", "09:00", "18:00", "24:00", "9", "", 7]) | st.text(max_size=5)


def likely(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of these members, mostly of the right kind, sometimes of any other."""
    return st.fixed_dictionaries({}, optional={name: value | any_json for name, value in members.items()})


likely_rules = likely(
    metric=st.sampled_from([metric.value for metric in Metric]),
    hold_above=numbers,
    resume_below=numbers,
    hold_below=numbers,
    resume_above=numbers,
    window_seconds=numbers,
    min_samples=numbers,
    hold_for_seconds=numbers,
    resume_for_seconds=numbers,
    on_missing=st.sampled_from(["unknown", "ignore"]),
)
likely_windows = likely(
    days=st.lists(st.sampled_from(["mon", "tue", "sun", "x"]), max_size=3), **{"from": times, "to": times}
)
likely_policies = likely(
    queues=st.lists(st.sampled_from(["*", "orders-*", "[a-c]?", "["]) | st.text(max_size=6), max_size=3),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Europe", "localtime"]) | st.text(max_size=12),
    mode=st.sampled_from(["enforce", "shadow"]),
    stale_after_seconds=numbers,
    rules=st.lists(likely_rules, max_size=3),
    send_windows=st.lists(likely_windows, max_size=2),
    max_audience_per_wave=numbers,
    outlook=any_json,
    notice_minutes=numbers,
    briefing=st.sampled_from(["required", "optional"]) | any_json,
    max_audience_per_hour=numbers,
    exempt_traffic_classes=st.lists(st.sampled_from(["service", "bulk"]), max_size=2) | any_json,
    max_override_minutes=numbers,
    extra=any_json,
)


def resolves(document: Any, pointer: str) -> bool:
    """Tell whether a pointer names something in the document, or a member that could be there and is not."""
    if pointer == "":
        return True
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("/").split("/")]
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return int(last) < len(document) if isinstance(document, list) else isinstance(document, dict)


def refusal_of(document: Any) -> tuple[Problem, ...]:
    """Return the faults that a document is refused for, () when it is taken."""
    try:
        policy = parse_policy(document)
    except PolicyRefused as refused:
        return refused.problems or (Problem("", ""),)
    assert policy.queues
    assert policy.rules
    assert all(rule.resume_limit is not None for rule in policy.rules)
    return ()


@given(any_json | likely_policies)
def test_any_json_is_taken_or_refused_with_pointers_that_resolve(document):
    before = json.dumps(document)
    for problem in refusal_of(document):
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert resolves(document, problem.pointer)
        assert problem.detail
    assert json.dumps(document) == before


@given(st.data(), any_json)
def test_one_broken_member_of_a_sound_rule_is_named(data, nonsense):
    document = default_policy_document()
    index = data.draw(st.integers(0, 4))
    rule = document["rules"][index]  # type: ignore[index]
    member = data.draw(st.sampled_from(sorted(rule)))
    rule[member] = {"nonsense": nonsense}
    assert {problem.pointer for problem in refusal_of(document)} == {f"/rules/{index}/{member}"}
