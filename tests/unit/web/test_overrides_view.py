"""Overrides as a page reads and prints them: by the center's wall clock, with every fault at its field."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.gate.override import Effect, Matcher, Override
from app.core.problem import Problem
from app.web.overrides.form import OverrideForm, empty_form, placed, read, sent_form
from app.web.overrides.view import reach, row, sheet_row, standing

NOW = datetime(2026, 11, 16, 21, 48, tzinfo=UTC)
EARLIER = datetime(2026, 10, 31, 12, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
HOUR = timedelta(hours=1)
FORM = OverrideForm(effect="hold", ends="2026-11-16T16:30", reason="launch freeze")


def an_override(**changes):
    made = Override("ovr_1", "default", Effect.HOLD, NOW - HOUR, NOW + 0.7 * HOUR, "Ann", "launch freeze", NOW - HOUR)
    return replace(made, **changes)


def test_what_is_in_force_says_until_when_by_whom_and_why():
    shown = row(an_override(), NOW, CHICAGO)
    assert (shown.word, shown.mark, shown.by, shown.reason) == ("Held by hand", "hold", "Ann", "launch freeze")
    assert (shown.ends_at.text, shown.ends_at.iso) == ("Mon 16 Nov 16:30", "2026-11-16T22:30:00Z")
    assert (shown.left, shown.lasted) == ("42\u202fmin", "1\u202fh 42\u202fmin")
    assert (shown.reach, shown.used) == ("all sends", "no answer")


def test_what_is_to_come_says_when_it_begins():
    shown = row(an_override(effect=Effect.ALLOW, starts_at=NOW + 0.5 * HOUR, used_count=3), NOW, CHICAGO)
    assert (shown.word, shown.mark, shown.left, shown.used) == ("Allowed by hand", "send", "30\u202fmin", "3 answers")


def test_they_stand_by_what_is_next():
    active = [an_override(id="late", ends_at=NOW + 2 * HOUR), an_override(id="soon")]
    coming = an_override(id="next", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    over = an_override(id="over", ends_at=NOW)
    shown = standing([*active, coming, over], [coming, *active, over], NOW, CHICAGO)
    assert [each.id for each in shown.active] == ["soon", "late"]
    assert [each.id for each in shown.coming] == ["next"]
    assert [each.id for each in shown.past] == ["over"]


@pytest.mark.parametrize(
    ("matchers", "said"),
    [
        ((), "all sends"),
        ((Matcher("campaign", "spring"),), "campaign spring"),
        (
            (Matcher("campaign", "spring-.*", is_regex=True), Matcher("traffic_class", "service", is_equal=False)),
            "campaign like spring-.* and traffic class not service",
        ),
        ((Matcher("campaign", ""),), "campaign none"),
    ],
)
def test_it_says_which_sends_it_is_for(matchers, said):
    assert reach(matchers) == said


def test_a_row_of_its_file_has_as_many_cells_as_columns():
    cells = sheet_row(an_override(), NOW)
    assert cells[:3] == ("ovr_1", "hold", "active")
    assert len(cells) == 12


def test_the_form_opens_with_an_hour_of_hold_from_now_on():
    form = empty_form(NOW, CHICAGO)
    assert (form.effect, form.starts, form.ends) == ("hold", "", "2026-11-16T16:48")


def test_times_are_those_of_the_center_and_nobody_names_another_author():
    draft = read(FORM, CHICAGO, NOW).draft
    assert draft
    assert (draft.effect, draft.comment, draft.starts_at) == (Effect.HOLD, "launch freeze", None)
    assert draft.ends_at == datetime(2026, 11, 16, 22, 30, tzinfo=UTC)
    assert (draft.created_by, draft.matchers, draft.even_without_data) == (None, (), False)


def test_it_reaches_over_missing_data_only_where_that_is_said():
    draft = read(replace(FORM, effect="allow", blind="yes", campaign="spring", traffic="service"), CHICAGO, NOW).draft
    assert draft
    assert draft.even_without_data
    assert draft.matchers == (Matcher("campaign", "spring"), Matcher("traffic_class", "service"))


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"ends": ""}, "ends", "an override always does"),
        ({"ends": "soon"}, "ends", "Choose a date and a time"),
        ({"ends": "2026-11-16T15:48"}, "ends", "over before it begins: it is Mon 16 Nov 15:48 now"),
        ({"starts": "2026-11-17T09:00"}, "ends", "over before it begins"),
        ({"effect": "maybe"}, "effect", "Choose whether"),
        ({"starts": "2026-03-08T02:30"}, "starts", "does not exist"),
        ({"ends": "2026-11-01T01:30"}, "ends", "comes twice"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(changes, field, said):
    found = read(replace(FORM, **changes), CHICAGO, NOW)
    assert found.draft is None
    assert said in found.faults[field]


def test_of_a_time_that_comes_twice_it_asks_which():
    twice = replace(FORM, ends="2026-11-01T01:30")
    assert [value for value, _ in read(twice, CHICAGO, EARLIER).twice["ends"]] == ["first", "second"]
    chosen = read(replace(twice, which_end="second"), CHICAGO, EARLIER).draft
    assert chosen
    assert chosen.ends_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_the_service_s_refusals_find_their_fields():
    form = replace(FORM, traffic="family")
    problems = [
        Problem("/ends_at", "it would end in the past"),
        Problem("/comment", "say why"),
        Problem("/matchers/0/value", '"family" is no traffic class'),
        Problem("/even_without_data", "belongs to an override that allows"),
    ]
    assert placed(problems, form) == {
        "ends": "It would end in the past.",
        "reason": "Say why.",
        "traffic": '"family" is no traffic class.',
        "blind": "Belongs to an override that allows.",
    }


def test_whatever_else_is_sent_is_left_out():
    assert sent_form({"effect": "allow", "created_by": "Bob", "reason": "x" * 9999}) == OverrideForm(
        effect="allow", reason="x" * 501
    )
