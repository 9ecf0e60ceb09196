"""The formulas against published and recomputed truth, and the tool that compares any file of that shape."""

import csv
import json

import pytest

from tests.support.shared import shared
from tests.support.truth import evaluate, main

A = {"lam": 102, "mu": 1, "theta": 1, "agents": 100}
C = {"calls": 100, "interval_s": 1800, "aht_s": 180, "agents": 14, "tau_s": 20}
DAY = {
    "lam_per_min": 4.2,
    "aht_s": 120,
    "agents": 12,
    "patience": "60 s",
    "day_min": 480,
    "start": "empty",
    "tau_s": 20,
}
AT = {"lam_per_s": 0.5, "aht_s": 180, "patience_s": 180, "agents": 80, "busy0": 0, "wait0": 0, "t_s": 600}


def a_row(model, inputs, metric, expected=0.0, *, tol=0.0, note=""):
    text = inputs if isinstance(inputs, str) else json.dumps(inputs)
    return {
        "id": "T1",
        "model": model,
        "inputs": text,
        "metric": metric,
        "expected": expected,
        "tol": tol,
        "note": note,
    }


def computed(*arguments, **options):
    (row,) = evaluate([a_row(*arguments, **options)])
    assert row.fault == ""
    return row.computed


def test_every_row_of_the_public_truth_is_inside_its_tolerance():
    with shared("truth/truth_public.csv").open(newline="") as file:
        rows = evaluate(csv.DictReader(file))
    assert len(rows) == 51
    assert [(row.id, row.fault or row.computed) for row in rows if row.is_outside] == []


@pytest.mark.parametrize(
    ("spelled", "same"),
    [
        ({"lam_per_min": 10 / 3, "mu_per_s": 1 / 180, "agents": 14, "tau_s": 20}, C),
        ({"lam_per_h": 200, "aht_min": 3, "servers": 14, "tau": "20 s"}, C),
        ({"calls": 100, "interval_min": 30, "aht": "180 s", "agents": 14.0, "tau_min": 1 / 3}, C),
        ({"erlangs": 10, "aht_s": 180, "agents": 14, "tau_s": 20}, C),
        ({"calls_per_hour": 200, "aht_minutes": 3, "agents": "14", "target_s": 20}, C),
        ({"calls_per_half_hour": 100, "mean_service": "3 minutes", "channels": 14, "tau_seconds": 20}, C),
    ],
)
def test_inputs_may_be_spelled_in_many_ways(spelled, same):
    for metric in ("service_level", "asa_s", "p_wait", "mean_queue"):
        assert computed("erlang_c", spelled, metric) == pytest.approx(computed("erlang_c", same, metric))


@pytest.mark.parametrize(
    ("inputs", "metric", "expected"),
    [
        (A, "occupancy", 102 * (1 - 0.04991798) / 100),
        (A, "mean_in_system", 102.0),
        (A, "var_in_system", 102.0),
        (A, "p_abandon", 0.04991798),
        (A, "p_wait", 1 - 0.40828137),
        (A, "mean_wait_abandoned", 0.06661083),
        (A | {"tau": 0.1}, "sl_answered", 0.79864399),
        (A | {"tau": 0.1}, "sl_offered", 0.79864399 * (1 - 0.04991798)),
        (A, "p_wait_gt_0.1_given_served", 1 - 0.79864399),
    ],
)
def test_what_erlang_a_is_asked(inputs, metric, expected):
    assert computed("erlang_a", inputs, metric) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("patience", [None, "infinite", "inf", "Infinity", "never", "none", "", float("inf")])
def test_patience_may_be_without_end(patience):
    for metric in ("service_level", "asa_s", "p_wait", "p_abandon"):
        expected = computed("erlang_c", C, metric)
        assert computed("erlang_a", C | {"patience": patience}, metric) == pytest.approx(expected)
        assert computed("transient_day", DAY | {"patience": patience}, "abandoned_per_day") == 0


@pytest.mark.parametrize(
    ("model", "metric", "same"),
    [
        ("ErlangA", "sl20_offered", "service_level"),
        ("Erlang-A", "service_level_20s", "service_level"),
        ("ERLANG_A", "sl_20_answered", "sl_answered"),
        ("erlang_a", "service_level_excl_short_abandons", "sl_excl"),
        ("erlang_a", "p_wait_le_20_s", "p_wait_le_20"),
        ("erlang_a", "p_wait_gt_0.5_min", "p_wait_gt_30"),
        ("erlang_a", "asa_seconds", "asa_s"),
        ("erlang_a", "mean_wait_given_abandoned_s", "mean_wait_abandoned_s"),
        ("erlang_a", "p_14", "p_state_14"),
        ("erlang_a", "p0", "p_state_0"),
    ],
)
def test_metrics_may_be_spelled_in_many_ways(model, metric, same):
    inputs = C | {"patience": "1 min"}
    assert computed(model, inputs, metric) == pytest.approx(computed("erlang_a", inputs, same))


def test_a_percentile_is_the_wait_that_so_many_do_not_exceed():
    p90 = computed("erlang_c", C, "wait_p90_s")
    assert computed("erlang_c", C, f"p_wait_le_{p90:.12f}") == pytest.approx(0.9)
    assert computed("erlang_c", C, "p90_wait_min") == pytest.approx(p90 / 60)
    assert computed("erlang_c", C, "wait_p50_s") == 0  # who need not wait at all are more than half
    assert computed("erlang_c", C | {"agents": 9}, "wait_p90_s") == float("inf")


def test_beyond_the_load_more_than_any_number_wait():
    assert computed("erlang_c", C | {"agents": 9}, "p_queue_gt_1000") == 1


def test_half_an_agent_is_half_way_between_its_neighbours():
    half, fewer, more = (computed("erlang_a", A | {"agents": agents}, "p_abandon") for agents in (100.5, 100, 101))
    assert half == pytest.approx((fewer + more) / 2)


def test_a_virtual_wait_is_told_from_that_of_one_who_may_give_up():
    inputs = A | {"tau": 0.1}
    virtual = computed("erlang_a", inputs, "sl_virtual")
    assert virtual < computed("erlang_a", inputs, "p_wait_le_0.1")
    assert virtual == computed("erlang_a", inputs, "p_virtual_wait_le_tau") == computed("erlang_a", A, "virtual_sl_0.1")
    assert virtual == computed("erlang_a", inputs, "service_level", note="P(V<=tau): virtual")
    assert virtual != computed("erlang_a", inputs, "service_level")


def test_staffing_finds_agents_and_positions():
    inputs = {**C, "target": 0.8, "max_occupancy": 0.85, "shrinkage": 0.3}
    assert computed("erlang_c_staffing", inputs, "agents") == 14
    assert computed("erlang_c_staffing", inputs, "positions") == 20
    assert computed("erlang_c_staffing", inputs, "occupancy") == pytest.approx(10 / 14)
    assert computed("erlang_a_staffing", inputs | {"patience_s": 60}, "agents") <= 14
    for name in ("max_blocking", "target", "gos"):
        assert computed("erlang_b_staffing", {"erlangs": 10, name: 0.01}, "servers") == 18
    assert computed("erlang_b_staffing", {"erlangs": 10, "gos": 0.01}, "blocking") < 0.01
    assert computed("erlang_c_staffing", C | {"target": "80%", "shrinkage": "30%"}, "scheduled_agents") == 20


def test_agents_who_are_exactly_as_busy_as_allowed_are_enough():
    busy = {"calls": 63, "interval_s": 1800, "aht_s": 180, "max_occupancy": 0.9}
    assert computed("erlang_c_staffing", busy, "agents") == 7


def test_abandonment_may_be_what_staffing_is_for():
    asked = {"lam_per_s": 0.12, "aht_s": 260, "patience_s": 150}
    agents = computed("erlang_a_staffing", asked | {"max_abandonment": 0.03}, "agents")
    assert computed("erlang_a", asked | {"agents": agents}, "p_abandon") <= 0.03
    assert computed("erlang_a", asked | {"agents": agents - 1}, "p_abandon") > 0.03


def test_an_instant_of_a_queue_whose_rates_change():
    jump = {"lam_segments_per_s": [[0, 300, 0.5], [300, 14400, 0.5]]} | {
        k: v for k, v in AT.items() if k != "lam_per_s"
    }
    for metric in ("mean_in_system_at_t", "p_all_busy_at_t", "p_queue_gt_10_at_t", "p_state_80_at_t", "var_queue_at_t"):
        assert computed("transient", jump, metric) == pytest.approx(computed("transient", AT, metric), abs=1e-9)
    assert computed("transient", AT, "mean_in_system_at_t") == pytest.approx(86.7893406, abs=1e-6)
    assert computed("transient", AT, "var_in_system_at_t") == pytest.approx(86.7893406, abs=1e-6)


def test_a_day_is_summed():
    offered = computed("transient_day", DAY, "offered_per_day")
    assert offered == pytest.approx(4.2 * 480)
    gone, served = (computed("transient_day", DAY, f"{kind}_per_day") for kind in ("abandoned", "served"))
    assert gone + served == pytest.approx(offered)
    assert computed("transient_day", DAY, "p_abandon") == pytest.approx(gone / offered)
    assert computed("transient_day", DAY, "asa_answered_s") == 60 * computed("transient_day", DAY, "asa_answered_min")
    lasting = DAY | {"patience": None}
    assert computed("transient_day", lasting, "abandoned_per_day") == 0
    assert computed("transient_day", lasting, "sl") < computed("transient_day", DAY, "sl_answered")


@pytest.mark.parametrize(
    ("model", "inputs", "metric", "why"),
    [
        ("erlang_x", {}, "p_wait", "the models are erlang_b"),
        ("erlang_c", C, "beauty", "'beauty' is no metric"),
        ("erlang_c", C, "p_beauty_3", "p_beauty of 3"),
        ("erlang_a", A, "sl_answered", "no target"),
        ("erlang_c", {"agents": 3}, "p_wait", "erlangs is missing"),
        ("erlang_c_staffing", C, "agents", "no target is given"),
        ("erlang_a", A, "sl_over_", "'sl_over_' is no metric"),
        ("erlang_c", "{", "p_wait", "no JSON"),
        ("erlang_c", "[]", "p_wait", "no JSON object"),
        ("erlang_c", C | {"agents": "many"}, "p_wait", "'many' is no number"),
        ("transient", {k: v for k, v in AT.items() if k != "t_s"}, "mean_queue_at_t", "t is missing"),
    ],
)
def test_what_cannot_be_read_is_outside_and_says_why(model, inputs, metric, why):
    (row,) = evaluate([a_row(model, inputs, metric, tol=1e9)])
    assert row.is_outside
    assert why in row.fault


def test_the_tool_ends_with_a_count_and_1_where_a_row_is_outside(tmp_path, capsys):
    rows = [
        a_row("erlang_c", C, "p_wait", 0.1741319, tol=1e-6),
        a_row("erlang_c", C, "p_wait", 0.2, tol=1e-6),
        {"id": "T3"},
    ]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main([str(path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("OUTSIDE T1 erlang_c p_wait: gives 0.174131934, expected 0.2")
    assert said[1].startswith("OUTSIDE T3")
    assert said[-1] == "3 rows, 2 outside"
    assert main([str(shared("truth/truth_public.csv"))]) == 0
    assert capsys.readouterr().out == "51 rows, 0 outside\n"
    assert main([]) == main([str(tmp_path / "none.csv")]) == 2
