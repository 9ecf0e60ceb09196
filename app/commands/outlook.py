"""`holdfire outlook`: what a queue that somebody wrote down will do, without a server."""

import json as json_text
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table

if TYPE_CHECKING:
    from app.core.forecast.course import Course
    from app.core.forecast.document import Written

MAX_BYTES = 50_000_000
COLUMNS = (
    "minutes",
    "agents",
    "offered",
    "answered",
    "abandoned",
    "service level",
    "speed to answer",
    "backlog",
    "9 in 10 at most",
)
NO_AGENTS = "no agents: who arrives in the intervals without a service level finds nobody until the horizon"
NEVER = "the queue never recovers within the horizon: more arrives than is handled, and nobody gives up"
OVERFLOWED = "so many would wait that the figures are not right for all of them: it is worse than they say"


def outlook(
    scenario: Annotated[Path, typer.Option(help="JSON file: a scenario, or a list of them.", show_default=False)],
    variant: Annotated[str, typer.Option(help="Which service level is meant.")] = "offered",
    json: JsonFlag = False,
) -> None:
    """Predict a written-down scenario per 5 minutes: service level, speed to answer, abandonment and backlog."""
    from app.core.floor.targets import ServiceLevelVariant  # noqa: PLC0415 - what computes is loaded once asked

    if variant not in list(ServiceLevelVariant):
        fail(f"--variant={variant} must be one of {', '.join(ServiceLevelVariant)}", USAGE)
    document = _read(scenario)
    found = [_shape(one, ServiceLevelVariant(variant)) for one in _parsed(scenario, document)]
    if json:
        print_json(found if isinstance(document, list) else found[0])
        return
    for shape in found:
        _print(shape)


def _read(path: Path) -> object:
    try:
        if path.stat().st_size > MAX_BYTES:
            fail(f"--scenario {path} has more than {MAX_BYTES:,} bytes", USAGE)
        document: object = json_text.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        fail(f"--scenario {path} cannot be read as JSON: {getattr(fault, 'strerror', None) or fault}", USAGE)
    return document


def _parsed(path: Path, document: object) -> "list[Written]":
    from app.core.forecast.check import ScenarioRefused  # noqa: PLC0415 - the same
    from app.core.forecast.document import parse_scenario  # noqa: PLC0415 - the same

    entries = document if isinstance(document, list) else [document]
    if not entries:
        fail(f"{path} holds an empty list; give a scenario")
    try:
        return [
            parse_scenario(entry, f"/{place}" if isinstance(document, list) else "")
            for place, entry in enumerate(entries)
        ]
    except ScenarioRefused as refused:
        faults = "\n".join(f"  {problem.pointer or '/'}: {problem.detail}" for problem in refused.problems)
        fail(f"{path} cannot be predicted:\n{faults}")


def _shape(written: "Written", variant: Any) -> dict[str, Any]:
    """Return one scenario's course as JSON: a list per measure, one value per interval; null where it is not known."""
    from app.core.forecast.predict import predict  # noqa: PLC0415 - the same
    from app.core.forecast.ratios import abandonment, mean_wait, service_level, speed_to_answer  # noqa: PLC0415 - the same

    scenario = written.scenario
    course = predict(scenario)
    minutes = [5 * place for place in range(course.offered.shape[1])]
    measures = {
        "offered": course.offered,
        "answered": course.answered,
        "abandoned": course.abandoned,
        "service_level_ratio": service_level(course, variant),
        "speed_to_answer_seconds": speed_to_answer(course),
        "wait_seconds": mean_wait(course),
        "abandonment_ratio": abandonment(course),
        "backlog": course.backlog,
        "backlog_end": course.backlog_end,
        "backlog_end_sd": course.backlog_end_sd,
        "backlog_end_p90": course.backlog_end_p90,
        "agents_busy": course.busy,
        "all_busy_ratio": course.all_busy,
    }
    return {
        "name": written.name,
        "horizon_minutes": len(scenario.agents),
        "service_level_seconds": scenario.target_seconds,
        "service_level_variant": variant,
        "start_minute": minutes,
        "agents": [int(scenario.agents[minute]) for minute in minutes],
        **{name: _listed(values[0].tolist()) for name, values in measures.items()},
        "notes": _notes(course),
    }


def _listed(values: Sequence[float]) -> list[float | None]:
    return [round(value, 6) if math.isfinite(value) else None for value in values]


def _notes(course: "Course") -> list[str]:
    said = (
        (course.unattended.any(), NO_AGENTS),
        (course.never_recovers.any(), NEVER),
        (course.overflowed.any(), OVERFLOWED),
    )
    return [sentence for holds, sentence in said if holds]


def _print(shape: dict[str, Any]) -> None:
    ends = [*shape["start_minute"][1:], shape["horizon_minutes"]]
    rows = [
        (
            f"{begin}-{end}",
            shape["agents"][place],
            *(_shown(shape[name][place], ".1f") for name in ("offered", "answered", "abandoned")),
            _shown(shape["service_level_ratio"][place], ".1%"),
            _shown(shape["speed_to_answer_seconds"][place], ".0f", " s"),
            _shown(shape["backlog"][place], ".1f"),
            _shown(shape["backlog_end_p90"][place], ".0f"),
        )
        for place, (begin, end) in enumerate(zip(shape["start_minute"], ends, strict=True))
    ]
    target = f"service level: {shape['service_level_variant']}, within {shape['service_level_seconds']:g} s"
    print_table(COLUMNS, rows, title=f"{shape['name'] or 'scenario'}, {target}")
    for note in shape["notes"]:
        print(note)


def _shown(value: float | None, style: str, unit: str = "") -> str | None:
    return None if value is None else f"{value:{style}}{unit}"
