"""How input about staffing is refused: whole, with every fault named."""

from collections.abc import Sequence

from app.core.problem import Problem


class StaffingRefused(ValueError):
    """A schedule, or opening hours, cannot be taken as given; `problems` names what was found, at most a hundred."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, others = problems[0], len(problems) - 1
        more = f" (and {others} more)" if others else ""
        super().__init__(f"refused at {first.pointer or 'its root'}: {first.detail}{more}")
        self.problems = tuple(problems)
