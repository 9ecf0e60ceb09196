"""The product's predictions against simulated truth, interval by interval, on any files of the two shapes.

    python -m tests.support.transient SCENARIOS.json TRUTH.csv

SCENARIOS.json holds a list of scenarios as `holdfire outlook` reads them; TRUTH.csv what many simulated runs of each
gave per 5 minutes, with standard errors (SE). A row is one interval; it is outside where any of these is: the speed to
answer by more than 4 SE + 0.5 s, the service level by more than 4 SE + 0.01, the mean backlog by more than 4 SE + 0.05;
a measure that the truth has and the prediction has not is outside too. Scenarios whose service or patience is not
exponential ("svc" or "pat" other than "M") are not what the model claims to be exact for: their errors are printed
beside the others, and their rows are not counted.
"""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.forecast.check import ScenarioRefused
from app.core.forecast.document import parse_scenario
from app.core.forecast.predict import predict
from app.core.forecast.series import FloatArray

STANDARD_ERRORS = 4.0
Truth = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the truth, the one of its standard error, and what is allowed beside 4 of them."""

    name: str
    column: str
    error_column: str
    allowed: float


MEASURES = (
    Measure("speed to answer", "asa_answered_s", "asa_se", 0.5),
    Measure("service level", "sl20_offered", "sl20_offered_se", 0.01),
    Measure("backlog", "q_avg", "q_avg_se", 0.05),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One measure of one interval: predicted and true, and the most that they may differ."""

    measure: Measure
    predicted: float
    truth: float
    most: float

    @property
    def error(self) -> float:
        """Predicted less true."""
        return self.predicted - self.truth

    @property
    def is_outside(self) -> bool:
        """Whether it differs by more than that, or was not predicted."""
        return not abs(self.error) <= self.most


@dataclass(frozen=True, slots=True)
class Row:
    """One interval of one scenario. claimed: the model is exact for it. changes: the head-count changes in it."""

    scenario: str
    interval: int
    claimed: bool
    changes: bool
    found: tuple[Found, ...]

    @property
    def is_outside(self) -> bool:
        """Whether any measure is."""
        return any(one.is_outside for one in self.found)


def compare(entries: object, truth: Sequence[Truth]) -> list[Row]:
    """Return a row for each row of the truth. Raises ScenarioRefused, ValueError for a scenario that is not there."""
    listed = [entries] if isinstance(entries, Mapping) else entries
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise ValueError("the scenarios must be a JSON list of objects")
    named = {str(entry["name"]): entry for entry in listed}
    rows: list[Row] = []
    for scenario in dict.fromkeys(row["scenario"] for row in truth):
        if scenario not in named:
            raise ValueError(f"the truth has scenario {scenario!r}; the scenarios are {', '.join(named)}")
        rows += _rows(named[scenario], [row for row in truth if row["scenario"] == scenario])
    return rows


def _rows(entry: Mapping[str, object], truth: Sequence[Truth]) -> Iterator[Row]:
    scenario = parse_scenario(entry).scenario
    course = predict(scenario)
    parts = (course.answered_wait_seconds[0], course.answered_in_target[0], course.backlog[0])
    wholes = (course.answered[0], course.offered[0], np.ones_like(course.backlog[0]))
    ratios = (np.divide(a, b, out=np.full_like(a, np.nan), where=b > 0) for a, b in zip(parts, wholes, strict=True))
    values = dict(zip(MEASURES, ratios, strict=True))
    claimed = entry.get("svc", "M") == "M" and entry.get("pat", "M") == "M"
    for row in truth:
        interval = int(row["interval"])
        there = scenario.agents[5 * interval : 5 * interval + 6]
        changes = len(set(there.tolist())) > 1
        yield Row(str(entry["name"]), interval, claimed, changes, tuple(_found(values, row, interval)))


def _found(values: Mapping[Measure, FloatArray], row: Truth, interval: int) -> Iterator[Found]:
    for measure, predicted in values.items():
        if not row[measure.column] or np.isnan(truth := float(row[measure.column])):
            continue  # nobody arrived in any of the runs
        error = float(row[measure.error_column] or 0.0)
        found = float(predicted[interval]) if 0 <= interval < len(predicted) else np.nan
        yield Found(measure, found, truth, STANDARD_ERRORS * error + measure.allowed)


def main(arguments: Sequence[str]) -> int:
    """Print what two files give; return 0 when every counted row is inside, 2 where they cannot be compared."""
    if len(arguments) != 2:
        _say(__doc__ or "")
        return 2
    try:
        entries = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        with Path(arguments[1]).open(newline="", encoding="utf-8") as file:
            rows = compare(entries, list(csv.DictReader(file)))
    except (OSError, KeyError, ValueError, ScenarioRefused) as fault:
        _say(f"cannot be compared: {fault!r}")
        return 2
    for scenario in dict.fromkeys(row.scenario for row in rows):
        _report([row for row in rows if row.scenario == scenario])
    counted = [row for row in rows if row.claimed]
    outside = sum(row.is_outside for row in counted)
    _say(f"{len(counted)} rows, {outside} outside")
    return 1 if outside else 0


def _report(rows: Sequence[Row]) -> None:
    counts = "" if rows[0].claimed else "  (not exponential: not counted)"
    for measure in MEASURES:
        found = [one for row in rows for one in row.found if one.measure == measure]
        worst = max((abs(one.error) for one in found), default=0.0)
        mean = sum(abs(one.error) for one in found) / max(len(found), 1)
        outside = sum(one.is_outside for one in found)
        errors = f"mean error {mean:8.4f}  worst {worst:8.4f}  {outside} outside{counts}"
        _say(f"{rows[0].scenario:26} {measure.name:16} {errors}")
    for row in rows:
        if row.claimed and row.is_outside:
            where = " (the head-count changes)" if row.changes else ""
            for one in row.found:
                if one.is_outside:
                    figures = f"predicted {one.predicted:.4f}, true {one.truth:.4f}, allowed {one.most:.4f}"
                    _say(f"  OUTSIDE interval {row.interval}{where}: {one.measure.name} {figures}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
