"""The kernel: in which minute after its delivery a message brings its contact."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.core.forecast.lag import LogLogisticLag
from app.core.forecast.refused import refuse
from app.core.forecast.series import FloatArray

BIN_EDGES_MINUTES = (0, 10, 20, 30, 60, 90, 120, 180, 240, 360, 720, 1440, 4320)
BINS = len(BIN_EDGES_MINUTES) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """masses[j]: the share of a message's contacts that come in minute j after it was delivered.

    They sum to at most 1; what is missing comes too late to be looked at. is_learned: from campaigns that were
    watched, not from the published times of clicks.
    """

    masses: FloatArray
    is_learned: bool = False

    def __post_init__(self) -> None:
        masses = self.masses
        is_sound = masses.ndim == 1 and len(masses) > 0 and bool(np.all(masses >= 0))
        total = float(masses.sum()) if is_sound else np.nan
        refuse(
            (not is_sound, "/kernel/masses", "must be a row of shares, one per minute, none negative or NaN"),
            (total > 1 + 1e-9, "/kernel/masses", f"sum to {total:g}; shares of all contacts sum to at most 1"),
        )

    @property
    def minutes(self) -> int:
        """The minutes after delivery that the kernel covers."""
        return len(self.masses)

    def share_within(self, minutes: int) -> float:
        """Return the share, 0..1, of a message's contacts that come in the first `minutes` after its delivery."""
        return float(self.masses[: max(0, minutes)].sum())

    def bin_masses(self) -> FloatArray:
        """Return the share in each of the 12 lag bins; what a shorter kernel does not cover has none."""
        edges = [self.share_within(edge) for edge in BIN_EDGES_MINUTES]
        return np.diff(np.asarray(edges))


@lru_cache(maxsize=8)
def log_logistic_kernel(lag: LogLogisticLag | None = None) -> Kernel:
    """Return the kernel of a log-logistic lag, by differences of its distribution over each minute.

    Not by its density, which has no bound at 0 when the shape is below 1. None: the lag of published clicks.
    """
    lag = lag or LogLogisticLag()
    minutes = int(lag.horizon_seconds // 60)
    shares = np.array([lag.share_within(60.0 * minute) for minute in range(minutes + 1)])
    masses = np.diff(shares)
    masses.setflags(write=False)
    return Kernel(masses)


def binned_kernel(bin_shares: FloatArray) -> Kernel:
    """Return the learned kernel that has these shares in the 12 lag bins of BIN_EDGES_MINUTES.

    bin_shares: of the contacts within 72 h, >= 0, any positive sum. In all they get as much as the published lag has
    within 72 h, so that contacts per 1,000 mean the same by either kernel; within a bin they lie as there.
    """
    is_sound = bin_shares.shape == (BINS,) and bool(np.all(bin_shares >= 0)) and bool(np.isfinite(bin_shares.sum()))
    refuse((not is_sound, "/bin_shares", f"must be {BINS} numbers >= 0"))
    refuse((not bin_shares.sum() > 0, "/bin_shares", "are all 0: a campaign that nobody answered teaches no lag"))
    prior = log_logistic_kernel()
    shares = bin_shares / bin_shares.sum() * prior.masses.sum()
    scale = np.repeat(shares / prior.bin_masses(), np.diff(BIN_EDGES_MINUTES))
    return Kernel(prior.masses * scale, is_learned=True)
