"""The metrics of a queue: their names, units, windows and which way is worse.

One table, read by validation, by the gate, by the API and by the pages. A metric is *windowed* when it is
an average or a ratio over a span of time, and a *gauge* when it is true at one instant.
"""

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """A measure of one queue. The value is its name on the wire, unit included."""

    BACKLOG = "backlog"
    OLDEST_WAIT_SECONDS = "oldest_wait_seconds"
    ABANDONMENT_RATIO = "abandonment_ratio"
    CONTACTS_IN_PROGRESS = "contacts_in_progress"
    AGENTS_STAFFED = "agents_staffed"
    AGENTS_AVAILABLE = "agents_available"
    AGENTS_BUSY = "agents_busy"
    OCCUPANCY_RATIO = "occupancy_ratio"
    SPEED_TO_ANSWER_SECONDS = "speed_to_answer_seconds"
    SERVICE_LEVEL_RATIO = "service_level_ratio"
    HANDLE_TIME_SECONDS = "handle_time_seconds"


class Worse(StrEnum):
    """The direction in which a metric gets worse for the customer."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """What a metric means: its title, unit, whether it needs a window, and which way is worse."""

    metric: Metric
    title: str
    unit: str
    windowed: bool
    worse: Worse
    meaning: str


def _definition(
    metric: Metric, title: str, unit: str, *, windowed: bool, worse: Worse, meaning: str
) -> tuple[Metric, MetricDefinition]:
    return metric, MetricDefinition(metric, title, unit, windowed, worse, meaning)


# In the order in which the gate trusts them: the first ones cannot look good while customers give up.
DEFINITIONS: dict[Metric, MetricDefinition] = dict(
    [
        _definition(
            Metric.BACKLOG,
            "Backlog",
            "contacts",
            windowed=False,
            worse=Worse.HIGHER,
            meaning="contacts waiting now, nobody on them yet",
        ),
        _definition(
            Metric.OLDEST_WAIT_SECONDS,
            "Oldest wait",
            "seconds",
            windowed=False,
            worse=Worse.HIGHER,
            meaning="time the longest waiting contact has waited so far; 0 when nobody waits",
        ),
        _definition(
            Metric.ABANDONMENT_RATIO,
            "Abandonment",
            "ratio",
            windowed=True,
            worse=Worse.HIGHER,
            meaning="abandoned / (answered + abandoned) of the waits that ended in the window, short abandons left out",
        ),
        _definition(
            Metric.CONTACTS_IN_PROGRESS,
            "In progress",
            "contacts",
            windowed=False,
            worse=Worse.HIGHER,
            meaning="contacts an agent is handling now",
        ),
        _definition(
            Metric.AGENTS_STAFFED,
            "Agents staffed",
            "agents",
            windowed=False,
            worse=Worse.LOWER,
            meaning="agents signed in and not on break",
        ),
        _definition(
            Metric.AGENTS_AVAILABLE,
            "Agents available",
            "agents",
            windowed=False,
            worse=Worse.LOWER,
            meaning="agents who could take a contact now",
        ),
        _definition(
            Metric.AGENTS_BUSY,
            "Agents busy",
            "agents",
            windowed=False,
            worse=Worse.HIGHER,
            meaning="agents handling a contact, after-contact work included where the source knows it",
        ),
        _definition(
            Metric.OCCUPANCY_RATIO,
            "Occupancy",
            "ratio",
            windowed=False,
            worse=Worse.HIGHER,
            meaning="busy / (busy + available) agents at this instant",
        ),
        _definition(
            Metric.SPEED_TO_ANSWER_SECONDS,
            "Speed to answer",
            "seconds",
            windowed=True,
            worse=Worse.HIGHER,
            meaning="summed wait of answered contacts / answered contacts (ASA); abandoned ones are not in it",
        ),
        _definition(
            Metric.SERVICE_LEVEL_RATIO,
            "Service level",
            "ratio",
            windowed=True,
            worse=Worse.LOWER,
            meaning="answered within target / offered",
        ),
        _definition(
            Metric.HANDLE_TIME_SECONDS,
            "Handle time",
            "seconds",
            windowed=True,
            worse=Worse.HIGHER,
            meaning="(talk + hold + wrap-up where known) / handled contacts (AHT)",
        ),
    ]
)
