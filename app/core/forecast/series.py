"""Values over time, in equal steps: how rates, head-counts and forecasts are handed from room to room."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value per step of step_seconds, the first step beginning at `start` (aware UTC). NaN: not known."""

    start: datetime
    step_seconds: float
    values: FloatArray

    @property
    def end(self) -> datetime:
        """The instant at which the last step is over."""
        return self.start + timedelta(seconds=self.step_seconds * len(self.values))
