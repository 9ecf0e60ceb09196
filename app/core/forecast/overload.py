"""Up to which size a send is looked at: what would drown the floor many times over is not calculated to the last."""

from app.core.forecast.case import Case

MOST_OVERLOAD = 10.0
LEAST_CONTACTS = 1_000.0


def visible(case: Case, audience: float) -> float:
    """Return the audience, or the largest one whose contacts are ten times what all agents handle in the horizon.

    A larger send breaks every limit at least as surely as that one, but its chain would have millions of states.
    """
    horizon = case.limits.horizon_minutes
    handled = sum(
        float(queue.scenario.agents[:horizon].sum()) * 60.0 / queue.scenario.handle_seconds for queue in case.queues
    )
    per_message = case.contacts_per_1000.mean / 1000
    most = max(LEAST_CONTACTS, MOST_OVERLOAD * handled)
    return audience if per_message * audience <= most else most / per_message
