"""A made-up queue for tests: forty agents, moderately busy."""

from dataclasses import replace

import numpy as np

from app.core.forecast.scenario import Scenario

FORTY = Scenario(
    arrivals_per_second=np.full(60, 6.2 / 60),
    agents=np.full(60, 40),
    handle_seconds=300.0,
    patience_seconds=180.0,
    busy=31,
    waiting=0,
)


def a_scenario(minutes=60, per_minute=6.2, agents=40, **changes):
    """Return it with other minutes, arrivals (one number or one per minute), agents (likewise), and members."""
    rates = np.broadcast_to(np.asarray(per_minute) / 60, minutes)
    return replace(FORTY, arrivals_per_second=rates, agents=np.broadcast_to(agents, minutes), **changes)
