"""What `holdfire watch` draws: never more than the data still bear out, and never more than fits."""

from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from app.commands.watch_screen import line, screen, standing
from app.commands.watch_socket import Heard

PERMIT = {"campaign": "spring", "id": "p", "sent": 10, "allow": 500, "must_stop": False, "state": "active"}
AT = "2026-11-22T15:00:00Z"
CAME = 1_000.0  # by the monotonic clock


def check(metric: str, queue: str, status: str, value: float) -> dict[str, Any]:
    limits = {"op": "<=", "limit": 10.0, "resume_limit": 5.0, "unit": "contacts", "detail": ""}
    return {"metric": metric, "title": metric.title(), "queue": queue, "status": status, "value": value, **limits}


def queue(name: str) -> dict[str, Any]:
    reading = {"value": 12.0, "unit": "contacts"}
    return {"queue": name, "title": name, "last_heard_at": "2026-11-22T14:59:50Z", "metrics": {"backlog": reading}}


FRAME: dict[str, Any] = {
    "type": "snapshot",
    "at": AT,
    "decision": {
        "state": "hold",
        "summary": "orders: 12 waiting, limit 10",
        "mode": "enforce",
        "policy_version": 3,
        "since": "2026-11-22T14:42:00Z",
        "valid_until": "2026-11-22T15:01:00Z",
        "retry_at": "2026-11-22T15:05:00Z",
        "data_as_of": "2026-11-22T14:59:50Z",
    },
    "checks": [check("backlog", "billing", "pass", 1), check("backlog", "orders", "holding", 12)],
    "queues": [queue("orders"), queue("billing")],
    "permits": [],
}


def heard(trouble: str = "", **decision: object) -> Heard:
    frame = deepcopy(FRAME)
    frame["decision"].update(decision)
    return Heard(frame, CAME, trouble)


def drawn(seen: Heard, later: float = 1.0, height: int = 24, width: int = 80) -> str:
    console = Console(width=width, height=height, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(screen("default", seen, CAME + later, height))
    return capture.get()


def test_the_first_line_is_the_verdict_by_shape_and_word_and_the_second_why():
    first, second, third, *_ = drawn(heard()).splitlines()
    assert first.split() == ["■", "HOLD", "default", "for", "18", "min", "1", "s"]
    assert second.strip() == "orders: 12 waiting, limit 10"
    assert "ask again in 4\u202fmin 59\u202fs" in third
    assert "data 11\u202fs old" in third


@pytest.mark.parametrize(
    ("state", "shape"), [("send", "● SEND"), ("throttle", "▲ THROTTLE"), ("hold", "■ HOLD"), ("unknown", "◇ UNKNOWN")]
)
def test_every_state_has_a_shape_and_a_word(state, shape):
    assert drawn(heard(state=state)).lstrip().startswith(shape)


@pytest.mark.parametrize(
    ("seen", "later", "why"),
    [
        (Heard(), 0, "connecting"),
        (Heard(trouble="the server cannot be reached"), 0, "the server cannot be reached"),
        (heard(state="send"), 16, "nothing heard for 16\u202fs"),
        (heard("the server restarts", state="send"), 16, "the server restarts"),
        (heard(state="send", valid_until="2026-11-22T15:00:05Z"), 6, "what was decided is no longer valid"),
    ],
)
def test_what_the_data_no_longer_bear_out_is_unknown_with_the_reason(seen, later, why):
    found = standing(seen, CAME + later)
    assert found.verdict == "unknown"
    assert why in found.summary
    assert "UNKNOWN" in drawn(seen, later).splitlines()[0]


def test_a_short_break_changes_nothing_yet_but_is_said():
    text = drawn(heard("the connection was lost"), later=3)
    assert "■ HOLD" in text
    assert "the connection was lost; trying again" in text


def test_the_rules_that_hold_come_before_those_that_pass():
    text = drawn(heard())
    assert text.index("holding") < text.index("pass")


def test_who_must_stop_is_said_so():
    frame = FRAME | {"permits": [PERMIT | {"must_stop": True, "state": "paused"}]}
    assert "MUST STOP" in drawn(Heard(frame, CAME))


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 16), (60, 24), (200, 50)])
def test_it_fits_and_counts_what_does_not(width, height):
    frame = FRAME | {
        "queues": [queue(f"queue-{number}") for number in range(60)],
        "checks": [check("backlog", f"queue-{number}", "holding", 12) for number in range(60)],
        "permits": [PERMIT] * 5,
    }
    lines = drawn(Heard(frame, CAME), width=width, height=height).splitlines()
    assert len(lines) <= max(height, 20)
    assert max(map(len, lines)) <= width
    assert any("more queues" in each for each in lines)


def test_names_from_outside_steer_no_terminal():
    frame = FRAME | {"queues": [queue("orders\x1b[2J[bold]x")]}
    text = drawn(Heard(frame, CAME))
    assert "\x1b[2J" not in text
    assert "[bold]x" in text


def test_a_line_for_a_log_says_when_which_gate_what_and_why():
    assert line("default", standing(heard(), CAME)) == "2026-11-22T15:00:00Z default HOLD orders: 12 waiting, limit 10"
