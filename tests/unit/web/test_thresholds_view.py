"""What is saved beside what is typed: versions compared with the ones before, and nothing saved unseen."""

from datetime import UTC, datetime, timedelta

from app.core.gate.windows import zone
from app.ports.gates import PolicyVersion
from app.web.thresholds.form import draft, typed_of
from app.web.thresholds.view import review, seen, sheet_row, version_rows

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


def a_policy(limit):
    return {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": limit}]}


def saved(version, document=None, reason="because"):
    at = NOW - timedelta(hours=24 - version)
    return PolicyVersion("default", version, document or a_policy(version), "Ann", reason, at)


def test_a_review_says_what_changes_and_stands_for_that_alone():
    shown = review(saved(3), draft(typed_of(a_policy(12))))
    assert [(change.label, change.before, change.after) for change in shown.changes] == [
        ("Backlog: hold above", "3", "12"),
        ("Backlog: resume at", "3", "12"),
    ]
    assert (shown.next_version, shown.is_first) == (4, False)
    assert shown.seen == seen(3, shown.changes)
    others = [
        review(saved(4, a_policy(3)), draft(typed_of(a_policy(12)))),
        review(saved(3), draft(typed_of(a_policy(13)))),
    ]
    assert shown.seen not in {other.seen for other in others}


def test_what_only_spells_a_default_out_is_the_same_change():
    spelled = draft(typed_of(a_policy(12) | {"mode": "enforce", "stale_after_seconds": 120}))
    assert review(saved(3), spelled).seen == review(saved(3), draft(typed_of(a_policy(12)))).seen


def test_what_changes_nothing_cannot_be_saved():
    shown = review(saved(3), draft(typed_of(a_policy(3))))
    assert (shown.changes, shown.seen) == ((), "")


def test_what_is_refused_is_not_compared():
    shown = review(saved(3), draft(typed_of(a_policy(-1))))
    assert (shown.changes, shown.seen) == ((), "")
    assert [name for name, _ in shown.faults] == ["rule-0-hold"]


def test_a_first_policy_is_shown_whole():
    shown = review(None, draft(typed_of(a_policy(10))))
    assert (shown.is_first, shown.next_version) == (True, 1)
    assert "Queues that are watched" in [change.label for change in shown.changes]


def test_each_version_is_compared_with_the_one_before():
    rows = version_rows([saved(3), saved(2), saved(1)], 3, NOW, zone("UTC"))
    assert [(row.version, row.is_newest, row.is_first) for row in rows] == [
        (3, True, False),
        (2, False, False),
        (1, False, True),
    ]
    assert rows[0].changes
    assert rows[0].changes[0].before == "2"
    assert (rows[0].author, rows[0].reason, rows[0].saved_at.iso) == ("Ann", "because", "2026-11-15T15:00:00Z")


def test_the_last_of_a_page_is_only_there_to_be_compared_with():
    assert [row.version for row in version_rows([saved(9), saved(8), saved(7)], 9, NOW, zone("UTC"))] == [9, 8]


def test_a_version_that_is_no_policy_any_more_cannot_be_compared_and_breaks_nothing():
    rows = version_rows([saved(2), saved(1, {"queues": []})], 2, NOW, zone("UTC"))
    assert [row.changes for row in rows] == [None, None]


def test_a_file_has_the_document_and_what_it_changed():
    row = sheet_row(saved(1), saved(2))
    assert (row[0], row[2], row[3]) == (2, "Ann", "because")
    assert row[4] == ["Backlog: hold above: 1 to 2", "Backlog: resume at: 1 to 2"]
    assert row[5] == a_policy(2)
