"""Packs days of minute history once they are over, so that a backtest reads a year in a moment."""

from datetime import timedelta

from app.ports.backtest import MinutePacks
from app.ports.clock import Clock

OVER_FOR = timedelta(hours=1)  # a day's last data is written a little after its end
AT_ONCE = 100


class Packing:
    """Packs one day of one metric after the other, so that whoever else writes gets in between."""

    def __init__(self, packs: MinutePacks, clock: Clock) -> None:
        self._packs, self._clock = packs, clock

    async def pack_some(self) -> int:
        """Pack some of the days that are over and not packed; return how many, 0 when none is left."""
        midnight = (self._clock.now() - OVER_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
        days = await self._packs.unpacked(midnight, AT_ONCE)
        for day in days:
            await self._packs.pack(day)
        return len(days)
