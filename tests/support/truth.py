"""The product's formulas against known truth, row by row, on any file of the shape.

    python -m tests.support.truth FILE.csv

Columns: id, model, inputs (a JSON object), metric, expected, tol. Each row is computed by the product's own functions:
Erlang B, C and A, the staffing they ask for, the chain at one instant (by uniformisation, whose error is below what any
row allows; the prediction's own steps are looser) and the sums of a day. A row is outside where it differs from
`expected` by more than `tol`, and where its model, inputs or metric cannot be read: nothing is left out in silence.
"""

import csv
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.truth_facts import Facts, UnknownFact
from tests.support.truth_inputs import SECONDS, UNITS, Inputs
from tests.support.truth_models import MODELS
from tests.support.truth_names import BASES, CANONICAL, GIVEN, LEVELS

ROUNDING = 1e-12
LONGEST = 1e9
NUMBER = r"(?:\d+(?:\.\d+)?(?:e-?\d+)?|tau)"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what is expected within what tolerance, and what the product gives or why it gives nothing.

    unread: the inputs that nothing here knows; they played no part.
    """

    id: str
    model: str
    metric: str
    expected: float
    tolerance: float
    computed: float
    fault: str = ""
    unread: tuple[str, ...] = ()

    @property
    def is_outside(self) -> bool:
        """Whether it differs by more than the tolerance."""
        if self.computed == self.expected:
            return False
        return not abs(self.computed - self.expected) <= self.tolerance + ROUNDING


def evaluate(rows: Iterable[Mapping[str, str]]) -> list[Row]:
    """Return every row with what the product gives for it."""
    return [_row(row) for row in rows]


def _row(row: Mapping[str, str]) -> Row:
    names = row.get("id") or "?", row.get("model") or "?", row.get("metric") or "?"
    unread: tuple[str, ...] = ()
    try:
        expected, tolerance = float(row["expected"]), float(row["tol"])
        inputs = Inputs.parse(row["inputs"])
        unread = tuple(inputs.unread)
        metric = row["metric"]
        if "virtual" in (row.get("note") or "").lower() and "virtual" not in metric:
            metric = f"virtual_{metric}"  # of a caller who never gives up; the name alone would mean answered / offered
        return Row(*names, expected, tolerance, value(_model(row["model"])(inputs), metric, inputs), unread=unread)
    except (TypeError, ValueError, LookupError, ArithmeticError, StopIteration) as fault:
        return Row(*names, math.nan, math.nan, math.nan, f"{type(fault).__name__}: {fault}", unread)


def _model(name: str) -> Callable[[Inputs], Facts]:
    """Return a model by its name, however it is written: erlang_c, ErlangC, Erlang-C."""
    letters = re.sub(r"[^a-z]", "", name.lower())
    found = next((model for known, model in MODELS.items() if known.replace("_", "") == letters), None)
    if found is None:
        raise UnknownFact(f"the models are {', '.join(MODELS)}")
    return found


def value(model: Facts, metric: str, inputs: Inputs) -> float:
    """Return a metric by its name. Raises UnknownFact."""
    name, unit, tau = metric.strip().lower(), 1.0, inputs.optional("tau")
    name = re.sub(r"_(at_t|per_day|per_run)(?=_|$)", "", name)
    name = re.sub(r"^(achieved_)?(service_level|sl)(?=_|\d|$)", "sl", name)
    if found := re.fullmatch(rf"sl_?(\d+(?:\.\d+)?)_?({UNITS})?(_[a-z].*)", name):  # sl20_offered
        name, tau = f"sl{found[3]}", float(found[1]) * SECONDS[found[2] or "s"]
    if found := re.fullmatch(rf"(.+?)_({UNITS})", name):
        name, unit = found[1], SECONDS[found[2]]
    if name in model.plain or CANONICAL.get(name) in model.plain:
        return model.fact(CANONICAL.get(name, name) if name not in model.plain else name, None) / unit
    if "virtual" in name:
        number = re.search(r"\d+(?:\.\d+)?", name)
        return model.fact("virtual_service_level", float(number[0]) * unit if number else _wait(tau))
    if name in LEVELS or re.fullmatch(r"sl_.+_over_.+", name):
        return _level(model, name, _wait(tau))
    if found := re.fullmatch(r"(?:mean_)?wait_(?:p|percentile_|quantile_)(\d+(?:\.\d+)?)|p(\d+)_wait", name):
        return _percentile(model, float(found[1] or found[2])) / unit
    return _numbered(model, name, tau, unit)


def _wait(tau: float | None) -> float:
    if tau is None:
        raise UnknownFact("the inputs have no target to answer within")
    return tau


def _level(model: Facts, name: str, tau: float) -> float:
    """Return a service level whose name is listed, or spelled out: sl_answered_lt_tau_over_(served+abandons_ge_tau)."""
    if "offered" not in model.plain:  # nobody gives up: all levels are the same one
        return model.fact("service_level", tau)
    if name in LEVELS:
        part, whole = LEVELS[name].split(" / ")
    else:
        part, whole = name.removeprefix("sl_").split("_over_", 1)
    return _total(model, part, tau) / _total(model, whole, tau)


def _total(model: Facts, text: str, tau: float) -> float:
    terms = re.findall(r"([+-]?)([a-z_]+)", re.sub(r"[()\s]", "", text))
    if not terms:
        raise UnknownFact(f"{text!r} is no sum of contacts")
    return sum((-1.0 if sign == "-" else 1.0) * _term(model, term, tau) for sign, term in terms)


def _term(model: Facts, term: str, tau: float) -> float:
    found = re.fullmatch(r"([a-z]+)(?:_(within|lt_tau|le_tau|within_tau|in_target|ge_tau|gt_tau|after_tau))?", term)
    if not found:
        raise UnknownFact(f"{term!r} is no kind of contact")
    kind = {"all": "offered"}.get(found[1], CANONICAL.get(found[1], found[1]))
    if found[2] is None:
        return model.fact(kind, None)
    within = model.fact(f"{kind}_within", tau)
    return model.fact(kind, None) - within if found[2] in {"ge_tau", "gt_tau", "after_tau"} else within


def _percentile(model: Facts, percent: float) -> float:
    """Return the wait that so many percent (or such a share, up to 1) do not exceed."""
    share = percent / 100 if percent > 1 else percent
    low, high = 0.0, 1.0
    if not 0 <= share < 1 or model.fact("p_wait_le", 0.0) >= share:
        return 0.0 if 0 <= share < 1 else math.inf
    while model.fact("p_wait_le", high) < share:
        low, high = high, 2 * high
        if high > LONGEST:
            return math.inf
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if model.fact("p_wait_le", middle) >= share else (middle, high)
    return high


def _numbered(model: Facts, name: str, tau: float | None, unit: float) -> float:
    """Return a metric with a number in its name: p_state_30, p_wait_le_0.2_given_served, p_queue_gt_10, sl_20.

    unit: that of the name's end, which is the number's.
    """
    found = re.fullmatch(rf"(.+?)_?({NUMBER})(?:_?({UNITS}))?(?:_given_([a-z]+))?", name)
    if not found:
        raise UnknownFact(f"{name!r} is no metric that is known here")
    base, given = BASES.get(found[1], found[1]), found[4]
    x = _wait(tau) if found[2] == "tau" else float(found[2]) * (SECONDS[found[3]] if found[3] else unit)
    if base == "p_wait_gt":
        return 1 - model.fact(_given("p_wait_le", given), x)
    if base.endswith("_ge"):
        return model.fact(f"{base.removesuffix('ge')}gt", x - 1)
    if base in {"p_queue_le", "p_in_system_le"}:
        return 1 - model.fact(f"{base.removesuffix('le')}gt", x)
    return model.fact(_given(base, given), x)


def _given(base: str, given: str | None) -> str:
    if given is None:
        return base
    if given not in GIVEN:
        raise UnknownFact(f"given {given!r} is not known; known are {', '.join(GIVEN)}")
    return f"{base}_given_{GIVEN[given]}"


def main(arguments: Sequence[str]) -> int:
    """Print what a file gives; return 0 when every row is inside its tolerance, 2 where it cannot be read."""
    if len(arguments) != 1:
        _say(__doc__ or "")
        return 2
    try:
        with Path(arguments[0]).open(newline="", encoding="utf-8") as file:
            rows = evaluate(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        _say(f"{arguments[0]} cannot be read: {fault}")
        return 2
    for row in rows:
        if row.is_outside:
            why = row.fault or f"gives {row.computed:.9g}, expected {row.expected:.9g} +- {row.tolerance:g}"
            unread = f"; the inputs {', '.join(row.unread)} mean nothing here" if row.unread else ""
            _say(f"OUTSIDE {row.id} {row.model} {row.metric}: {why}{unread}")
    outside = sum(row.is_outside for row in rows)
    _say(f"{len(rows)} rows, {outside} outside")
    return 1 if outside else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
