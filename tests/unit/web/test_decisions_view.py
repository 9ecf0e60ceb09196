from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.chain import Break
from app.core.event import Actor, Event, EventType
from app.core.gate.decision import Verdict
from app.ports.decisions import DecisionRow, KeptInputs
from app.ports.events import Difference, Verified, WrittenEvent
from app.services.decisions import Reviewed
from app.services.replaying import Replayed
from app.web.decisions.detail import detail, input_cells, reason_cells
from app.web.decisions.events_view import event_detail, event_line, finding
from app.web.decisions.filters import DecisionQuery, EventQuery, decisions_asked, events_asked, place_text, shown_zone
from app.web.decisions.view import COLUMNS, Reader, cells, line

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 22, 18, 0, 5, 250_000, tzinfo=UTC)
REASON = {"code": "backlog_high", "message": "orders: 14 waiting", "queue": "orders", "observed": 14.0, "op": "<="}
REASON |= {"limit": 10.0, "unit": "contacts", "as_of": "2026-11-22T18:00:00Z", "binding": True}
CHECK = {"metric": "backlog", "queue": "orders", "status": "holding", "value": 14.0, "op": "<=", "limit": 10.0}
CHECK |= {"unit": "contacts", "margin": -4.0, "as_of": "2026-11-22T18:00:00Z", "detail": "14 waiting, limit 10"}
ASKED = DecisionRow(
    *("dec_1", "asked", "default", NOW, "throttle", 3, "orders: 14 waiting", (REASON,), (CHECK,)),
    asked_by="key1",
    campaign="spring",
    requested=500_000,
    accept_partial=True,
    allow=25_000,
    status=429,
)
CHANGE = DecisionRow(
    "dec_2", "transition", "default", NOW, "hold", 3, "held", before="send", facts={"overrides": [{"id": "ovr_1"}]}
)
READER = Reader({"key1": "mailer"}, {"orders": "Orders by phone"}, CHICAGO, NOW)
SAME = Replayed(Verdict.THROTTLE, 25_000, (REASON,), "orders: 14 waiting", (CHECK,))


def asked(**query):
    return decisions_asked(DecisionQuery.model_validate(query), {"key1": "mailer", "key2": "mailer"}, CHICAGO)


# --- what a URL asks for ---


def test_filters_are_arguments_of_the_log():
    found = asked(gate="default", kind="asked", state="hold", who=" mailer ", campaign="spring", overridden="yes")
    assert found.narrowed == {
        "gate": "default",
        "kind": "asked",
        "verdict": "hold",
        "asked_by": ("key1", "key2"),
        "campaign": "spring",
        "overridden": True,
        "start": None,
        "until": None,
    }
    assert found.is_narrowed


def test_no_filter_and_choices_that_are_none_ask_for_everything():
    assert not asked().is_narrowed
    assert not asked(gate="", kind="x", state="x", who=" ", campaign="").is_narrowed


def test_times_are_those_of_the_shown_zone_and_a_double_hour_is_meant_whole():
    found = asked(**{"from": "2026-11-01T01:30", "to": "2026-11-01T01:30"})
    assert found.narrowed["start"] == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert found.narrowed["until"] == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert not found.faults


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-03-08T02:30"}, "to"),
        ({"from": "2026-11-02T01:00", "to": "2026-11-01T01:00"}, "to"),
    ],
)
def test_a_time_that_cannot_be_is_a_fault_of_its_field(query, field):
    assert list(asked(**query).faults) == [field]


def test_a_place_in_the_log_survives_its_url_to_the_microsecond():
    assert asked(before=place_text(NOW, "dec_1")).place == {"before": (NOW, "dec_1")}
    assert asked(after=place_text(NOW.astimezone(CHICAGO), "dec_~")).place == {"after": (NOW, "dec_~")}


@pytest.mark.parametrize("text", ["", "x", "~", "2026-11-22T18:00:00~dec", "0001-01-01T00:00:00+14:00~d", "9" * 300])
def test_a_place_that_is_none_is_the_first_page(text):
    assert asked(before=text).place == {}


def test_events_are_asked_for_by_one_actor_and_a_place_that_is_a_number():
    names = {"key1": "mailer", "key2": "mailer", "key3": "acd"}
    found = events_asked(
        EventQuery(who="acd", type="policy.saved", before="7", subject=" gate/default "), names, CHICAGO
    )
    assert (found.narrowed["actor"], found.narrowed["type"]) == ("key3", EventType.POLICY_SAVED)
    assert (found.narrowed["subject"], found.place) == ("gate/default", {"before": 7})
    assert events_asked(EventQuery(who="cli"), names, CHICAGO).narrowed["actor"] == "cli"
    doubted = events_asked(EventQuery(who="mailer", type="x", after="-1"), names, CHICAGO)
    assert doubted.faults == {"who": "2 have this name; write the id of one: key1, key2."}
    assert doubted.place == {}


@pytest.mark.parametrize("text", ["9" * 19, "٣", "1e3", "²"])
def test_a_place_beyond_all_events_is_the_first_page(text):
    assert events_asked(EventQuery(before=text), {}, CHICAGO).place == {}


def test_the_url_may_want_utc():
    assert shown_zone("utc", CHICAGO).key == "UTC"
    assert shown_zone("viewer", CHICAGO) is CHICAGO


# --- lines ---


def test_an_answer_is_a_line_with_what_its_asker_was_told():
    shown = line(replace(ASKED, count=7, last_at=NOW), READER)
    assert (shown.who, shown.audience, shown.told, shown.times) == ("mailer", "500,000", "allow 25,000 · HTTP 429", 7)
    assert (shown.at.text, shown.at.iso) == ("12:00:05", "2026-11-22T18:00:05Z")
    assert shown.last is not None
    assert shown.summary == "Orders by phone: 14 waiting"
    assert not shown.is_overridden


def test_a_change_is_nobodys_question():
    shown = line(CHANGE, READER)
    assert (shown.is_change, shown.before, shown.who, shown.audience, shown.told) == (True, "send", "–", "–", "")  # noqa: RUF001
    assert shown.is_overridden
    assert not line(replace(CHANGE, facts={}), READER).is_overridden


def test_who_was_forgotten_keeps_the_id():
    assert line(replace(ASKED, asked_by="key9"), READER).who == "key9"


def test_a_file_has_a_cell_for_every_column():
    row = dict(zip(COLUMNS, cells(ASKED, READER.names), strict=True))
    assert (row["asked_by"], row["asked_by_name"], row["at"], row["allow"]) == ("key1", "mailer", NOW, 25_000)
    assert row["reasons"] == [REASON]


# --- one decision ---


def facts(shown):
    return {fact.name: fact.at.text if fact.at else fact.text for fact in shown.facts}


def test_a_decision_that_comes_out_the_same_says_so():
    shown = detail(Reviewed(replace(ASKED, kept=KeptInputs(b"", b"")), SAME), READER)
    assert (shown.again.state, shown.again.rows) == ("send", ())
    assert facts(shown)["When"] == "Sun 22 Nov 2026 12:00:05"
    assert (facts(shown)["Audience"], facts(shown)["May go"]) == ("500,000", "25,000")
    (reason,), (check,) = shown.reasons, shown.inputs
    assert (reason.value, reason.limit, reason.queue, reason.is_binding) == ("14", "≤ 10", "Orders by phone", True)
    assert (check.state, check.word, check.margin) == ("hold", "holding", "−4")  # noqa: RUF001
    assert shown.missing == ""


def test_a_decision_that_differs_says_in_what_and_how():
    other = replace(
        SAME,
        state=Verdict.HOLD,
        allow=0,
        reasons=(),
        summary="x",
        differs=("state", "allow", "reasons", "summary", "inputs"),
    )
    shown = detail(Reviewed(ASKED, other), READER)
    assert shown.again.state == "hold"
    assert "it differs in the verdict and how many may go and the reasons" in shown.again.sentence
    assert [row[0] for row in shown.again.rows] == ["Verdict", "May go", "Reasons", "Sentence", "What was kept"]
    assert shown.again.rows[:3] == (
        ("Verdict", "throttle", "hold"),
        ("May go", "25,000", "0"),
        ("Reasons", "backlog_high", "none"),
    )


def test_a_decision_leads_to_the_policy_and_the_override_it_was_made_by():
    by_hand = replace(ASKED, gate="emea/2", override_id="ovr_9")
    ways = {fact.name: fact.href for fact in detail(Reviewed(by_hand, None, ""), READER).facts if fact.href}
    assert ways == {
        "Gate": "/?gate=emea%2F2",
        "Policy": "/thresholds?gate=emea%2F2&before=4#version-3",
        "Override": "/overrides?gate=emea%2F2&one=ovr_9#ovr_9",
    }
    without = detail(Reviewed(replace(ASKED, policy_version=0), None, ""), READER)
    assert [fact.href for fact in without.facts if fact.name == "Policy"] == [""]


def test_a_change_under_several_overrides_names_each():
    both = replace(CHANGE, facts={"overrides": [{"id": "ovr_1"}, {"id": "ovr_2"}, {}]})
    named = [fact.text for fact in detail(Reviewed(both, None, ""), READER).facts if fact.name == "Override"]
    assert named == ["ovr_1", "ovr_2"]


def test_what_was_not_kept_is_said_plainly():
    row = replace(CHANGE, inputs=(), reasons=(), before=None)
    shown = detail(Reviewed(row, None, "it was written before its inputs were kept"), READER)
    assert shown.again.state == "unknown"
    assert shown.again.sentence == "It cannot be decided again: it was written before its inputs were kept."
    assert shown.missing == "What it was made from was not kept, so nobody can decide it again."
    assert facts(shown)["Override"] == "ovr_1"
    broken = detail(Reviewed(replace(row, kept=KeptInputs(b"", b"")), None, "it cannot be read"), READER)
    assert broken.missing == "What it was made from is kept, and cannot be read any more."


def test_reasons_and_inputs_are_files_with_what_is_known_of_them():
    assert [row[0] for row in reason_cells(ASKED)] == ["backlog_high"]
    assert [row[:4] for row in input_cells(ASKED)] == [["backlog", "orders", "holding", 14.0]]


# --- events ---

EVENT = WrittenEvent(
    7,
    Event(
        *(EventType.POLICY_SAVED, NOW, Actor("key1", "ann"), "gate/default", "too strict", "default", None),
        before={"version": 1, "policy": {"queues": ["*"], "rules": [{"hold_above": 10}]}},
        after={"version": 2, "policy": {"queues": ["*"], "rules": [{"hold_above": 12}], "mode": "shadow"}},
    ),
    "ab" * 32,
)


def test_an_event_shows_what_it_changed_member_by_member():
    shown = event_detail(EVENT, CHICAGO)
    members = {member.name: (member.before, member.after, member.is_changed) for member in shown.members}
    assert members == {
        "version": ("1", "2", True),
        "policy/queues": ('["*"]', '["*"]', False),
        "policy/rules/0/hold_above": ("10", "12", True),
        "policy/mode": ("–", "shadow", True),  # noqa: RUF001
    }
    assert (shown.who, shown.href) == ("ann", "/?gate=default")


def test_an_event_with_one_side_changed_nothing_that_was_there():
    created = replace(EVENT, event=replace(EVENT.event, before=None, subject="decision/dec_1"))
    shown = event_detail(created, CHICAGO)
    assert not any(member.is_changed for member in shown.members)
    assert shown.href == "/decisions/dec_1"
    assert event_detail(replace(EVENT, event=replace(EVENT.event, before=None, after=None)), CHICAGO).members == ()


def test_a_line_of_the_audit_log_says_what_happened_in_words():
    shown = event_line(EVENT, READER)
    assert (shown.meaning, shown.reason) == ("a version of a gate's policy was saved", "too strict")


def test_a_check_says_what_fits_and_what_does_not():
    whole = finding(Verified(1, "ab"))
    assert (whole.state, whole.sentence, whole.faults) == (
        "send",
        "1 event checked: everything is as it was written.",
        (),
    )
    broken = finding(
        Verified(6, "ab", Break(7, "its digest does not fit"), Difference("dec_1", 3, "the row of dec_1 is gone"))
    )
    assert broken.state == "hold"
    assert broken.faults == (
        "The chain is broken at event 7: its digest does not fit.",
        "The row of dec_1 is gone; it was changed since.",
    )
