"""How input about staffing is refused: whole, with every fault named."""

from app.core.problem import InputRefused


class StaffingRefused(InputRefused):
    """A schedule, or opening hours, cannot be taken as given; `problems` names what was found, at most a hundred."""

    what = "staffing"
