"""What was predicted of a campaign as it was let go: from the outlook that is kept of that moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.campaign.campaign import Campaign
from app.core.debrief.prediction import Sends, prediction
from app.core.debrief.question import Prediction, Send
from app.core.problem import InputRefused
from app.ports.computing import Computing
from app.ports.outlooks import OutlookStore
from app.services.outlook_texts import unpack_known

OLDEST = timedelta(minutes=15)
MOST_KEPT = 200


class Predictions:
    """Makes them, each once for the same messages. computing: where that is done."""

    def __init__(self, outlooks: OutlookStore, computing: Computing) -> None:
        self._outlooks, self._computing = outlooks, computing
        self._made: dict[str, tuple[Sequence[Send], Prediction | None]] = {}

    async def of(self, campaign: Campaign, sends: Sequence[Send], at: datetime) -> Prediction | None:
        """Return what the outlook that stood at `at` says of these sends. Raises NotComputed.

        None: no outlook is kept from within a quarter of an hour before, or nothing can be made of it.
        """
        known = self._made.pop(campaign.id, None)
        if known is None or known[0] != sends:
            known = sends, await self._make(campaign, sends, at)
        self._made[campaign.id] = known
        for oldest in list(self._made)[:-MOST_KEPT]:
            del self._made[oldest]
        return known[1]

    async def _make(self, campaign: Campaign, sends: Sequence[Send], at: datetime) -> Prediction | None:
        kept = await self._outlooks.outlook(campaign.gate, at)
        if kept is None or at - kept.at > OLDEST:
            return None
        minutes = [((send.at - kept.at) / timedelta(minutes=1), float(send.messages)) for send in sends]
        try:
            return await self._computing.run(_prediction, kept.asked, campaign.id, minutes)
        except InputRefused:  # a campaign of a kind that outlooks did not look at
            return None


# --- run elsewhere ----------------------------------------------------------------------------------------------------


def _prediction(asked: bytes, campaign: str, sends: Sends) -> Prediction:
    return prediction(unpack_known(asked), campaign, sends)
