"""The response to one single send, in fewer words than the curves of many."""

from typing import Any

import numpy as np

from app.core.forecast.response import Response, response_curves


def response_curve(response: Response, opening: Any, start_minute: int, minutes: int, *given: Any, **more: Any) -> Any:
    """Return response_curves of a send that starts at one minute, alone: shape (minutes,)."""
    return response_curves(response, opening, np.array([start_minute]), minutes, *given, **more)[0]
