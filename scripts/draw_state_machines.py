"""Draw the state machines of permits and campaigns into docs/explanation/state-machines.md, from the code's own tables.

python -m scripts.draw_state_machines
"""

# ruff: noqa: INP001 -- a script, not a package

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from app.core.campaign import machine as campaigns
from app.core.permit import permit as permits

PAGE = Path(__file__).resolve().parent.parent / "docs" / "explanation" / "state-machines.md"
BEGIN, END = "<!-- drawn from {} -->\n", "<!-- end -->"
DRAWN: Mapping[str, Mapping[tuple[StrEnum, StrEnum], StrEnum]] = {
    "app.core.campaign.machine.MACHINE": {(state, what): to for (state, what), to in campaigns.MACHINE.items()},
    "app.core.permit.permit.MACHINE": {(state, what): to for (state, what), to in permits.MACHINE.items()},
}


def drawing(machine: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> str:
    """Return a machine as a Mermaid state diagram; steps between the same two states share one arrow."""
    arrows: dict[tuple[StrEnum, StrEnum], list[str]] = {}
    for (state, what), to in machine.items():
        arrows.setdefault((state, to), []).append(what.value)
    first = next(state for state, _ in machine)
    ends = dict.fromkeys(to for to in machine.values() if not any(state is to for state, _ in machine))
    lines = [
        f"[*] --> {first.value}",
        *(f"{state.value} --> {to.value}: {', '.join(steps)}" for (state, to), steps in arrows.items()),
        *(f"{state.value} --> [*]" for state in ends),
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *_indented(lines), "```", ""])


def drawn(page: str) -> str:
    """Return the page with every drawing renewed. Raises ValueError for a page that lacks the place for one."""
    for name, machine in DRAWN.items():
        before, begin, rest = page.partition(BEGIN.format(name))
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise ValueError(f"{PAGE} has no place for {name}: add {BEGIN.format(name)!r} and {END!r}")
        page = f"{before}{begin}{drawing(machine)}{end}{after}"
    return page


def _indented(lines: Iterable[str]) -> Iterable[str]:
    return (f"    {line}" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
