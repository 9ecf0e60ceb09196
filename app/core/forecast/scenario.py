"""What is to be predicted: one queue from an instant on, minute by minute."""

from dataclasses import dataclass

from app.core.forecast.series import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A queue as it stands at minute 0, and what is expected of it until the horizon.

    arrivals_per_second and agents have one value per minute, the horizon is as many minutes as they have. For chat,
    agents counts slots. handle_seconds is the mean handle time, patience_seconds the mean patience; None: nobody gives
    up. busy contacts are being handled at the start, waiting ones wait. target_seconds: of the service level.
    """

    arrivals_per_second: FloatArray
    agents: IntArray
    handle_seconds: float
    patience_seconds: float | None
    busy: int
    waiting: int
    target_seconds: float = 20.0
