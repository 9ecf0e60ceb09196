import json
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from app.core.event import MEANINGS, Actor, Event, EventType
from app.core.webhooks.form import Form, body_of
from app.core.webhooks.standard import LARGEST_BYTES
from tests.support.builders import NOW

ANN = Actor("k1", "Ann")
PAUSED = Event(
    EventType.PERMIT_PAUSED,
    NOW,
    ANN,
    "permit/prm_1",
    "backlog is 500, above 10",
    "default",
    "spring",
    before={"state": "active"},
    after={"state": "paused"},
)
HELD = Event(EventType.DECISION_HOLD, NOW, ANN, "gate/default", "backlog is <500> & above 10", "default")


def read(form, event, seq=7):
    return json.loads(body_of(form, seq, event))


def test_the_standard_form_says_type_time_and_what_happened():
    assert read(Form.STANDARD, PAUSED) == {
        "type": "permit.paused",
        "timestamp": "2026-11-21T15:00:00Z",
        "data": {
            "seq": 7,
            "subject": "permit/prm_1",
            "gate": "default",
            "campaign": "spring",
            "reason": "backlog is 500, above 10",
            "actor": {"id": "k1", "name": "Ann"},
            "permit_id": "prm_1",
            "must_stop": True,
            "before": {"state": "active"},
            "after": {"state": "paused"},
        },
    }


@pytest.mark.parametrize(
    ("kind", "must_stop"),
    [
        (EventType.PERMIT_PAUSED, True),
        (EventType.PERMIT_REVOKED, True),
        (EventType.PERMIT_EXPIRED, True),
        (EventType.PERMIT_RESUMED, False),
    ],
)
def test_a_permits_event_says_whether_its_sender_must_stop(kind, must_stop):
    assert read(Form.STANDARD, replace(PAUSED, type=kind))["data"]["must_stop"] is must_stop


def test_an_event_that_names_a_permit_carries_its_id_and_no_word_about_stopping():
    opened = Event(EventType.WAVE_OPENED, NOW, ANN, "campaign/spring", campaign="spring", after={"permit_id": "prm_9"})
    data = read(Form.STANDARD, opened)["data"]
    assert data["permit_id"] == "prm_9"
    assert "must_stop" not in data


def test_instants_inside_an_event_are_written_in_utc():
    later = NOW.astimezone(timezone(timedelta(hours=2)))
    changed = replace(HELD, at=later, after={"until": later, "queues": {"a"}})
    body = read(Form.STANDARD, changed)
    assert body["timestamp"] == "2026-11-21T15:00:00Z"
    assert body["data"]["after"] == {"until": "2026-11-21T15:00:00Z", "queues": ["a"]}


@pytest.mark.parametrize("side", ["x" * 30_000, "ü" * 9_990])
def test_a_body_stays_below_20_kb_and_says_what_was_left_out(side):
    event = replace(PAUSED, before={"note": side}, reason="y" * 5_000)
    body = body_of(Form.STANDARD, 1, event)
    assert len(body) < LARGEST_BYTES
    data = json.loads(body)["data"]
    assert (data["before"], data["after"], data["truncated"]) == (None, None, True)
    assert data["read_at"] == "/api/v1/events/1"
    assert len(data["reason"]) == 1_000


def test_slack_gets_a_text_for_notifications_and_blocks():
    plain = {"type": "plain_text", "emoji": False}
    assert read(Form.SLACK, HELD) == {
        "text": "■ HOLD: a gate changed to hold: backlog is &lt;500&gt; &amp; above 10",
        "blocks": [
            {"type": "section", "text": plain | {"text": "■ HOLD: a gate changed to hold"}},
            {
                "type": "section",
                "fields": [
                    plain | {"text": "Gate: default"},
                    plain | {"text": "Why: backlog is <500> & above 10"},
                    plain | {"text": "Who: Ann"},
                ],
            },
            {
                "type": "context",
                "elements": [plain | {"text": "decision.hold · 2026-11-21 15:00:00 UTC · event 7"}],
            },
        ],
    }


def test_teams_gets_an_adaptive_card():
    def line(text, **style):
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}

    assert read(Form.TEAMS, HELD) == {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": [
                        line("■ HOLD: a gate changed to hold", weight="Bolder", size="Medium"),
                        line("Gate: default"),
                        line("Why: backlog is <500> & above 10"),
                        line("Who: Ann"),
                        line("decision.hold · 2026-11-21 15:00:00 UTC · event 7", isSubtle=True),
                    ],
                },
            }
        ],
    }


def test_nobody_can_be_called_or_linked_to_by_what_users_write():
    written = replace(HELD, reason="<!channel> [pay](http://evil)")
    slack = body_of(Form.SLACK, 1, written).decode()
    assert "<!channel>" not in json.loads(slack)["text"]
    assert "mrkdwn" not in slack
    assert "TextBlock" not in body_of(Form.TEAMS, 1, written).decode().replace("RichTextBlock", "")


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("kind", [kind for kind, meaning in MEANINGS.items() if meaning.told])
def test_every_event_that_is_told_has_a_body_within_the_limits_in_every_form(form, kind):
    event = replace(PAUSED, type=kind, reason="ü\ud800" * 3_000, campaign="c" * 128, subject=f"permit/{'p' * 200}")
    body = body_of(form, 10**12, event)
    assert len(body) < LARGEST_BYTES
    assert isinstance(json.loads(body), dict)


def test_slack_texts_keep_to_slacks_lengths():
    event = replace(PAUSED, reason="y" * 5_000, campaign="c" * 128, subject=f"permit/{'p' * 9_000}")
    title, fields, _ = read(Form.SLACK, event)["blocks"]
    assert len(title["text"]["text"]) <= 3_000
    assert [len(field["text"]) <= 2_000 for field in fields["fields"]] == [True] * 5
