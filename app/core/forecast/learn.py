"""What is known of a campaign's contact rate, and how contacts that name their campaign sharpen it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.special import gammaincinv

from app.core.forecast.refused import refuse

DEFAULT_PER_1000 = 10.0
PRESETS_PER_1000: Mapping[str, float] = MappingProxyType(
    {"newsletter": 2.0, "offer": 5.0, "order_notice": 15.0, "service_notice": 15.0, "price_change": 30.0,
     "policy_change": 30.0}
)  # fmt: skip
MOST_PER_1000 = 1000.0 * 20
PRESET_SHAPE = 1.0
GIVEN_SHAPE = 4.0


@dataclass(frozen=True, slots=True)
class GammaRate:
    """A belief about contacts per 1,000 delivered: Gamma with this shape, and this rate in thousands delivered."""

    shape: float
    rate: float

    def __post_init__(self) -> None:
        refuse(
            (not 0 < self.shape < np.inf, "/shape", f"is {self.shape}; it must be above 0"),
            (not 0 < self.rate < np.inf, "/rate", f"is {self.rate}; it must be above 0"),
        )

    @classmethod
    def of_moments(cls, mean: float, variance: float) -> "GammaRate":
        """Return the belief with this mean (contacts per 1,000) and variance, both above 0."""
        refuse(
            (not 0 < mean < np.inf, "/mean", f"is {mean}; contacts per 1,000 must be above 0"),
            (not 0 < variance < np.inf, "/variance", f"is {variance}; it must be above 0"),
        )
        return cls(mean * mean / variance, mean / variance)

    @property
    def mean(self) -> float:
        """Contacts per 1,000 delivered to expect."""
        return self.shape / self.rate

    @property
    def sd(self) -> float:
        """The standard deviation of contacts per 1,000."""
        return float(np.sqrt(self.shape)) / self.rate

    def quantile(self, probability: float) -> float:
        """Return the contacts per 1,000 that are not exceeded with this probability, 0 <= probability < 1."""
        return float(gammaincinv(self.shape, probability)) / self.rate

    def learned(self, contacts: float, exposure: float) -> "GammaRate":
        """Return the belief after `contacts` were counted that named the campaign, for this exposure.

        exposure: thousands delivered times the share of the kernel that lay in open, watched time (sent_curve). Exact
        for Poisson contacts, whatever the order they are learned in. Raises ResponseRefused for contacts without any
        exposure: they cannot be of this campaign.
        """
        refuse(
            (not 0 <= contacts < np.inf, "/contacts", f"are {contacts}; a number >= 0 is needed"),
            (not 0 <= exposure < np.inf, "/exposure", f"is {exposure}; a number >= 0 is needed"),
            (contacts > 0 and exposure == 0, "/exposure", f"is 0, yet {contacts:g} contacts named the campaign"),
        )
        return GammaRate(self.shape + contacts, self.rate + exposure)


def prior_rate(kind: str | None = None, contacts_per_1000: float | None = None) -> GammaRate:
    """Return the belief before anything was seen: of a figure people gave, else of the kind, else of any campaign.

    contacts_per_1000: above 0, at most 20,000 (twenty contacts from each recipient). A given figure gets shape 4, half
    of it as standard deviation: people are right within a factor of two. A kind of PRESETS_PER_1000, or any other
    (10 per 1,000), gets shape 1: as uncertain as it is large, its ninth decile 2.3 times its mean. All are judgement.
    """
    if contacts_per_1000 is None:
        return GammaRate(PRESET_SHAPE, PRESET_SHAPE / preset_per_1000(kind))
    allowed = f"it must be above 0 and at most {MOST_PER_1000:g}"
    refuse((not 0 < contacts_per_1000 <= MOST_PER_1000, "/contacts_per_1000", f"is {contacts_per_1000}; {allowed}"))
    return GammaRate(GIVEN_SHAPE, GIVEN_SHAPE / contacts_per_1000)


def preset_per_1000(kind: str | None) -> float:
    """Return the contacts per 1,000 that a campaign of this kind brings, as long as none of them was watched."""
    return PRESETS_PER_1000.get(kind_key(kind), DEFAULT_PER_1000)


def kind_key(kind: str | None) -> str:
    """Return a kind of campaign as it is compared: "Price change", "price-change" and "price_change" are one."""
    return "_".join((kind or "").lower().replace("-", " ").replace("_", " ").split())
