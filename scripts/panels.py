"""What Grafana dashboards are made of, and how they ask Prometheus."""

# ruff: noqa: INP001 -- a script, not a package

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.gate.decision import Verdict

SHAPES = {Verdict.SEND: "●", Verdict.THROTTLE: "▲", Verdict.HOLD: "■", Verdict.UNKNOWN: "◇"}
# 1 send, 2 throttle, 3 hold, 4 unknown; where replicas differ, what is furthest from a go.
VERDICT = "max by (gate) ({})".format(
    " or ".join(
        f'(holdfire_readiness_state{{state="{verdict}", gate=~"$gate"}} == 1) + {number}'
        for number, verdict in enumerate(SHAPES)
    )
)
WIDE, HALF, THIRD, QUARTER = 24, 12, 8, 6


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. queries: PromQL by legend; unit: Grafana's name of it; more: what differs from a plain time series."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    width: int = THIRD
    kind: str = "timeseries"
    about: str = ""
    least: float | None = 0
    warns_at: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, and the panels below it."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. choices: what can be chosen at its top, by name, with the query that lists it."""

    uid: str
    title: str
    about: str
    choices: Mapping[str, str]
    rows: Sequence[Row]


def of_queue(metric: str, title: str, unit: str, rule: str | None = None, about: str = "") -> Panel:
    """Return a panel with one metric of each queue, and the limits of the rules about it."""
    queries = {"{{queue}}": f'max by (queue) ({metric}{{queue=~"$queue"}})'}
    if rule is not None:
        limits = f'holdfire_rule_limit{{gate=~"$gate", rule=~"{rule}(@.*)?"}}'
        queries["{{bound}} limit, {{gate}} {{rule}}"] = f"max by (gate, rule, bound) ({limits})"
    return Panel(title, queries, unit, about=about)


RATE = "$__rate_interval"
ON = 'instance=~"$instance"'


def per_second(counter: str, by: str, more: str = "") -> str:
    """Return the rate of a counter over the chosen replicas, by labels."""
    return f"sum by ({by}) (rate({counter}{{{ON}{more}}}[{RATE}]))"


def percentile(part: int, histogram: str, by: str = "le") -> str:
    """Return a percentile of a histogram over the chosen replicas, by labels."""
    return f"histogram_quantile(0.{part}, {per_second(f'{histogram}_bucket', by)})"
