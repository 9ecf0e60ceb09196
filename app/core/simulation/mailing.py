"""A campaign's list, mailed in parts: who on it gets in touch does not depend on how it is split, nor on when."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.core.simulation.campaign import Campaign
from app.core.simulation.randomness import Rng, Rngs


class Caused(NamedTuple):
    """A contact that an email causes: its id, the generator of the one who got it, its queue and when it comes."""

    id: str
    rng: Rng
    queue: str
    arrival: float


class Mailing:
    """The list of a campaign. Each person on it who gets in touch has a generator of their own."""

    def __init__(self, campaign: Campaign, rngs: Rngs) -> None:
        self._campaign, self._rngs = campaign, rngs
        self._places = tuple(campaign.respondents(rngs(f"campaign/{campaign.name}")))

    def part(
        self, first: int, people: int, start: float, opening: Callable[[str, float], float | None]
    ) -> Iterator[Caused]:
        """Yield what mailing `people` of the list causes, from place `first` on, in its order.

        It begins at `start`, in seconds, and goes at the pace of the whole campaign. opening: as Campaign.contacts.
        """
        campaign = self._campaign
        for number in range(bisect_left(self._places, first), bisect_left(self._places, first + people)):
            name = f"{campaign.name}/{number + 1:06d}"
            rng = self._rngs(f"campaign/{name}")
            delivered = start + (self._places[number] - first) * campaign.delivery_seconds / campaign.audience
            comes = campaign.contact(delivered, rng, opening)
            if comes is not None:
                yield Caused(name, rng, *comes)
