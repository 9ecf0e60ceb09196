"""A policy's form: the same document comes out that went in, and every fault stands at its field."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.gate.policy import default_policy_document, parse_policy
from app.web.thresholds.form import Typed, draft, field_at, read_typed, typed_of, with_step

WHOLE: dict[str, Any] = {
    "queues": ["orders-*", "Billing, two words"],
    "time_zone": "America/Chicago",
    "mode": "shadow",
    "stale_after_seconds": 90.5,
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 30, "on_missing": "ignore"},
        {"metric": "service_level_ratio", "window_seconds": 900, "hold_below": 0.755, "min_samples": 10},
        {"metric": "service_level_ratio", "hold_below": 0.07, "resume_above": 0.29},
    ],
    "outlook": {"service_level_ratio": 0.8, "max_breach_probability": 0.15, "horizon_minutes": 60},
    "send_windows": [{"days": ["mon", "sat"], "from": "09:00", "to": "24:00"}],
    "max_audience_per_wave": 100000,
    "max_audience_per_hour": 300000,
    "notice_minutes": 240,
    "briefing": "required",
    "exempt_traffic_classes": ["service"],
    "max_override_minutes": 60,
}


def through_a_browser(typed: Typed) -> Typed:
    """Return the form as a browser would send it: check boxes one by one, an unchecked one not at all."""
    sent = []
    for name, text in typed.text.items():
        is_boxes = name == "exempt" or name.endswith("-days")
        sent += (
            [(name, part) for part in text.split()] if is_boxes else [(name, text)] if text or name != "outlook" else []
        )
    return read_typed(sent)


@pytest.mark.parametrize("document", [WHOLE, default_policy_document()], ids=["whole", "default"])
def test_what_is_not_touched_comes_out_as_it_went_in(document):
    found = draft(through_a_browser(typed_of(document)))
    assert found.document == document
    assert (found.policy, found.faults) == (parse_policy(document), {})


def test_ratios_are_typed_in_per_cent_and_times_in_their_own_unit():
    text = typed_of(WHOLE).text
    assert (text["rule-1-hold"], text["rule-1-window"], text["rule-0-hold"]) == ("75.5", "900", "10")
    assert (text["outlook-chance"], text["stale-after"]) == ("15", "90.5")


@given(per_cent=st.decimals(1, 99, places=3))
def test_a_ratio_is_what_was_typed_and_nothing_near_it(per_cent):
    rules = [{"metric": "service_level_ratio", "hold_below": float(per_cent / 100)}]
    typed = typed_of(WHOLE | {"rules": rules})
    assert float(typed.text["rule-0-hold"]) == float(per_cent)
    assert draft(typed).document["rules"] == rules


def changed(**fields: str) -> Typed:
    typed = typed_of(WHOLE)
    return Typed({**typed.text, **{name.replace("_", "-"): text for name, text in fields.items()}}, 3, 1)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"rule_0_hold": "ten"}, "rule-0-hold", "“ten” is no number; write it as 12 or 12.5."),
        ({"rule_0_hold": ""}, "rule-0-hold", "A rule for backlog needs this limit: beyond it, sends are held."),
        ({"rule_0_resume": "11"}, "rule-0-resume", "Must be at or below the hold limit: a hold ends on its good side."),
        ({"rule_2_resume": "5"}, "rule-2-resume", "Must be at or above the hold limit: a hold ends on its good side."),
        ({"rule_1_hold": "755"}, "rule-1-hold", "755 % is not between 0 and 100 %."),
        ({"rule_1_hold": "0"}, "rule-1-hold", "Service level is never below 0, so this rule would never hold."),
        ({"rule_0_hold_for": "-1"}, "rule-0-hold-for", "-1 must be a number from 0 to 86400 seconds."),
        ({"rule_2_window": "900"}, "rule-2-metric", "There is a rule for service level with window"),
        ({"queues": " \n "}, "queues", "A policy without queues could not know anything"),
        ({"queues": "orders-["}, "queues", "has a [ without its ]"),
        ({"time_zone": "Mars"}, "time-zone", "is no time zone"),
        ({"mode": "loud"}, "mode", "must be"),
        ({"stale_after": "0"}, "stale-after", "must be a number from 1 to 86400 seconds"),
        ({"wave_cap": "1.5"}, "wave-cap", "must be a whole number"),
        ({"window_0_days": ""}, "window-0-days", "this window never opens"),
        ({"window_0_from": "9"}, "window-0-from", "must be a time of day"),
        ({"window_0_to": "08:00"}, "window-0-to", "ends before it begins"),
        ({"outlook_service_level": "0"}, "outlook-service-level", "Must be from 1 to 100 %."),
        ({"outlook_horizon": "5"}, "outlook-horizon", "must be a whole number from 15 to 720"),
        ({"exempt": "family"}, "exempt", "is no traffic class"),
        ({"override_cap": "99999"}, "override-cap", "must be a number from 1 to 10080 minutes"),
    ],
)
def test_each_fault_stands_at_its_field(fields, field, said):
    found = draft(changed(**fields))
    assert found.policy is None
    assert said in found.faults[field]


def test_all_faults_are_found_at_once():
    found = draft(changed(rule_0_hold="x", rule_1_hold="0", time_zone="Mars"))
    assert set(found.faults) == {"rule-0-hold", "rule-1-hold", "time-zone"}


def test_nothing_can_be_typed_that_the_document_would_take_for_another_member():
    typed = read_typed([("rule-0-metric", "backlog"), ("rule-0-hold", "1"), ("rule-0-evil", "x"), ("__class__", "x")])
    assert draft(typed).document["rules"] == [{"metric": "backlog", "hold_above": 1}]


def test_an_outlook_that_is_switched_off_is_not_in_the_document():
    assert "outlook" not in draft(changed(outlook="")).document


def test_a_metric_of_one_instant_has_no_window_whatever_was_typed_before():
    assert draft(changed(rule_1_metric="oldest_wait_seconds", rule_1_hold="60")).document["rules"][1] == {
        "metric": "oldest_wait_seconds",
        "hold_above": 60,
    }


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/rules/3/hold_below", "rule-3-hold"),
        ("/rules/3", "rule-3-metric"),
        ("/rules", "rules"),
        ("/queues/2", "queues"),
        ("/send_windows/1/days/0", "window-1-days"),
        ("/outlook", "outlook"),
        ("/outlook/backlog", "outlook-backlog"),
        ("/max_audience_per_hour", "hour-cap"),
    ],
)
def test_a_pointer_leads_to_a_field(pointer, field):
    assert field_at(pointer) == field


def test_a_new_rule_is_about_what_is_not_judged_yet():
    typed = with_step(typed_of(default_policy_document()), "add-rule")
    assert (typed.rules, typed.text["rule-5-metric"], typed.text["rule-5-hold"]) == (6, "contacts_in_progress", "")


def test_a_removed_rule_leaves_no_hole():
    typed = with_step(typed_of(WHOLE), "remove-rule-0")
    assert draft(typed).document["rules"] == WHOLE["rules"][1:]


def test_a_send_window_can_be_added_and_removed():
    typed = with_step(typed_of(WHOLE), "add-window")
    assert (typed.windows, typed.text["window-1-from"]) == (2, "09:00")
    assert draft(with_step(with_step(typed, "remove-window-1"), "remove-window-0")).document == {
        name: value for name, value in WHOLE.items() if name != "send_windows"
    }


@pytest.mark.parametrize("step", ["", "look", "save", "remove-rule-", "remove-rule-x", "remove-queues-0", "add"])
def test_any_other_step_leaves_the_form_as_it_is(step):
    assert draft(with_step(typed_of(WHOLE), step)).document == WHOLE
