"""The board's view-models, from the real gate over floors made by hand."""

import time
from datetime import timedelta
from typing import Any

import pytest

from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.policy import parse_policy
from app.services.published import GateState, Published
from app.services.standing import standing
from app.web.format import MINUS, NO_BREAK, NONE, THIN
from app.web.now.views import Board, board
from tests.support.floors import NOON, StaticFloor, a_reading

RULES: list[dict[str, Any]] = [
    {"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 30, "resume_for_seconds": 300},
    {"metric": "service_level_ratio", "hold_below": 0.75, "resume_above": 0.85, "min_samples": 10},
]
POLICY: dict[str, Any] = {"queues": ["*"], "time_zone": "America/Chicago", "stale_after_seconds": 120, "rules": RULES}


def a_floor(backlogs: dict[str, int], *, age_seconds: float = 0, samples: int = 50) -> StaticFloor:
    at = NOON - timedelta(seconds=age_seconds)
    floor = StaticFloor(NOON)
    for queue, backlog in backlogs.items():
        floor.put(
            queue,
            a_reading(Metric.BACKLOG, backlog, observed_at=at),
            a_reading(Metric.SERVICE_LEVEL_RATIO, 0.9, observed_at=at, samples=samples, window_seconds=300),
            a_reading(Metric.AGENTS_AVAILABLE, 2, observed_at=at),
            a_reading(Metric.AGENTS_STAFFED, 9, observed_at=at),
        )
    return floor


class Gate:
    """A gate over a floor that the test changes; `look` decides at NOON plus some seconds and shows the board."""

    def __init__(self, **changes: Any) -> None:
        self.policy = parse_policy(POLICY | changes)
        self.memory = GateMemory()

    def look(self, floor: StaticFloor, seconds: float = 0, targets: dict[str, QueueTargets] | None = None) -> Board:
        now = NOON + timedelta(seconds=seconds)
        decision, self.memory = decide(floor, self.policy, self.memory, now)
        state = GateState("default", self.policy, 17, decision, decision)
        published = Published(1, now, time.monotonic(), floor, {"default": state, "emea": state._replace(gate="emea")})
        return board(published, state, now, targets or {})


def held(floor_after: StaticFloor, seconds: float) -> Board:
    """Return the board some seconds after fourteen contacts had waited for half a minute."""
    gate = Gate()
    for second in range(0, 31, 10):
        gate.look(a_floor({"orders": 14}), second)
    return gate.look(floor_after, seconds)


def test_an_open_gate_is_calm_everywhere():
    shown = Gate().look(a_floor({"orders": 2, "billing": 1}))
    assert shown.verdict.word == "SEND"
    assert {row.word for row in shown.rows} == {"passes"}
    assert [tile.state for tile in shown.tiles] == ["neutral", "neutral"]
    assert {cell.state for tile in shown.tiles for cell in (tile.backlog, *tile.cells)} == {"neutral"}
    assert shown.checks_in_words == "4 checks, all passing"


def test_times_are_the_centers_and_its_zone_is_named():
    shown = Gate().look(a_floor({"orders": 2}))
    assert shown.zone == "CST, America/Chicago"
    assert shown.verdict.since.text == "06:00:00"
    assert shown.verdict.since.iso == "2026-11-23T12:00:00Z"


def test_the_deciding_check_comes_first_with_value_limit_and_margin():
    shown = held(a_floor({"orders": 14, "billing": 9}), 31)
    first = shown.rows[0]
    assert (first.binding, first.word, first.queue, first.title) == (True, "holding", "orders", "Backlog")
    assert (first.value, first.limit, first.resume, first.margin) == ("14", "≤ 10", "≤ 5", f"{MINUS}4")
    assert first.fill is not None
    assert first.fill > first.limit_at
    assert sum(row.binding for row in shown.rows) == 1
    assert shown.verdict.reason.startswith("orders: 14 waiting")


def test_a_pending_check_counts_down_to_the_hold():
    gate = Gate()
    gate.look(a_floor({"orders": 2}), -1)
    gate.look(a_floor({"orders": 14}), 0)
    row = gate.look(a_floor({"orders": 14}), 10).rows[0]
    assert (row.word, row.state, row.remaining) == ("pending", "throttle", f"20{THIN}s left")
    assert row.until == "2026-11-23T12:00:30Z"


def test_a_recovering_check_counts_down_to_the_release_and_shows_the_limit_that_counts():
    shown = held(a_floor({"orders": 3}), 40)
    row, tile = shown.rows[0], shown.tiles[0]
    assert (shown.verdict.word, row.word, row.remaining) == ("HOLD", "recovering", f"5{THIN}min left")
    assert (tile.state, tile.word, tile.backlog.limit) == ("throttle", "recovering", f"resume ≤{NO_BREAK}5")


def test_too_few_contacts_are_said_to_be_too_few():
    row = next(row for row in Gate().look(a_floor({"orders": 1}, samples=3)).rows if row.title == "Service level")
    assert (row.word, row.state, row.fine) == ("too few", "neutral", True)
    assert row.detail


def test_stale_data_are_unknown_without_margin_or_bar_and_the_tile_is_stale():
    shown = Gate().look(a_floor({"orders": 2}, age_seconds=400))
    assert shown.verdict.word == "UNKNOWN"
    assert {(row.word, row.state, row.margin, row.fill) for row in shown.rows} == {("stale", "unknown", NONE, None)}
    assert shown.rows[0].detail == "last seen 05:53:20"
    assert (shown.tiles[0].stale, shown.tiles[0].word, shown.tiles[0].backlog.stale) == (True, "stale", True)
    assert shown.verdict.data_stale


def test_a_missing_metric_is_a_row_of_its_own_and_never_a_zero():
    floor = StaticFloor(NOON).put("orders", a_reading(Metric.AGENTS_AVAILABLE, 4))
    shown = Gate().look(floor)
    backlog = next(row for row in shown.rows if row.title == "Backlog")
    assert (backlog.word, backlog.value) == ("missing", NONE)
    assert shown.tiles[0].backlog.value == NONE
    assert shown.tiles[0].backlog.window == "never reported"


def test_a_floor_without_queues_is_empty_and_says_why():
    shown = Gate().look(StaticFloor(NOON))
    assert (shown.empty, shown.tiles, shown.verdict.word) == (True, (), "UNKNOWN")
    assert shown.rows[0].title.startswith("No queue")
    assert shown.rows[0].binding


def test_a_closed_send_window_is_a_row_too():
    window = [{"days": ["sun"], "from": "09:00", "to": "10:00"}]
    shown = Gate(send_windows=window).look(a_floor({"orders": 2}))
    assert (shown.verdict.word, shown.rows[0].state, shown.rows[0].binding) == ("HOLD", "hold", True)


def test_only_watched_queues_have_tiles_and_the_others_are_named():
    shown = Gate(queues=["orders*"]).look(a_floor({"orders-voice": 2, "billing": 1}))
    assert [tile.queue for tile in shown.tiles] == ["orders-voice"]
    assert shown.unwatched == ("billing",)


def test_a_queue_is_called_by_its_title():
    gate, targets = Gate(), {"orders": QueueTargets(title="Orders (voice)")}
    for second in range(0, 31, 10):
        shown = gate.look(a_floor({"orders": 14}), second, targets)
    assert shown.tiles[0].title == "Orders (voice)"
    assert shown.rows[0].queue == "Orders (voice)"
    assert shown.verdict.reason.startswith("Orders (voice): 14 waiting")


def test_each_number_tells_its_meaning_window_and_source():
    tile = Gate().look(a_floor({"orders": 2})).tiles[0]
    level = next(cell for cell in tile.cells if cell.label == "Service level")
    assert level.metric == "service_level_ratio"
    assert level.window == f"last 5{THIN}min, 50 contacts"
    assert (level.source, level.as_of_text) == ("acd-1", "06:00:00")
    assert next(cell.value for cell in tile.cells if cell.label == "Agents free") == "2 of 9"


def test_only_what_is_fine_is_put_out_of_sight():
    queues = {f"queue-{index:02d}": 1 for index in range(12)}
    shown = Gate().look(a_floor(queues))
    assert len(shown.rows) == 12
    assert shown.hidden_rows == 12
    stale = Gate().look(a_floor(queues, age_seconds=400))
    assert (len(stale.rows), stale.hidden_rows) == (24, 0)


def test_a_gate_in_shadow_mode_shows_what_it_would_say():
    gate = Gate(mode="shadow")
    for second in range(0, 31, 10):
        shown = gate.look(a_floor({"orders": 14}), second)
    assert (shown.verdict.word, shown.verdict.shadow) == ("HOLD", True)


def test_every_gate_is_linked_with_its_state():
    links = Gate().look(a_floor({"orders": 2})).gates
    assert [(link.name, link.state, link.present) for link in links] == [
        ("default", "send", True),
        ("emea", "send", False),
    ]


def test_a_gate_without_policy_is_unknown_and_shows_the_floor_all_the_same():
    floor = a_floor({"orders": 2})
    decision, _ = decide(floor, None, GateMemory(), NOON)
    state = GateState("default", None, 0, decision, decision)
    shown = board(Published(1, NOON, 0.0, floor, {"default": state}), state, NOON, {})
    assert (shown.verdict.word, shown.verdict.policy_version, shown.zone) == ("UNKNOWN", 0, "UTC")
    assert [tile.queue for tile in shown.tiles] == ["orders"]


class TestStanding:
    """What onlookers see of a gate when the evaluator is slow, new, or does not know it."""

    def published(self, seq: int = 1) -> Published:
        floor = a_floor({"orders": 2})
        decision, _ = decide(floor, parse_policy(POLICY), GateMemory(), NOON)
        return Published(
            seq, NOON, 100.0, floor, {"default": GateState("default", parse_policy(POLICY), 1, decision, decision)}
        )

    @pytest.mark.parametrize(("monotonic", "verdict"), [(104.9, Verdict.SEND), (105.1, Verdict.UNKNOWN)])
    def test_an_evaluation_older_than_five_seconds_is_unknown(self, monotonic, verdict):
        state = standing(self.published(), "default", NOON, monotonic)
        assert state is not None
        assert state.decision.verdict is verdict

    def test_before_the_first_evaluation_every_gate_is_unknown(self):
        state = standing(self.published(seq=0), "default", NOON, 100.0)
        assert state is not None
        assert state.decision.verdict is Verdict.UNKNOWN

    def test_a_gate_that_is_not_there_has_no_state(self):
        assert standing(self.published(), "other", NOON, 100.0) is None
