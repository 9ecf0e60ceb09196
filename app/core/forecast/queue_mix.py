"""Which queues a campaign's contacts come to."""

from collections.abc import Mapping

from app.core.forecast.refused import refuse

GIVEN_CONTACTS = 50.0
VOLUME_CONTACTS = 20.0


def learned_mix(
    tagged: Mapping[str, float], volumes: Mapping[str, float], given: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the share of each queue, above 0 and with the sum 1, by queue name.

    tagged: contacts per queue that named the campaign, or one of its kind. given: the shares its makers expect, worth
    50 contacts; without them the queues' volumes (contacts per day, say), worth 20. The mean of a Dirichlet posterior;
    what the priors are worth is judgement. Raises ResponseRefused when a number is below 0 or nothing is above it.
    """
    prior, worth = (given, GIVEN_CONTACTS) if given else (volumes, VOLUME_CONTACTS)
    for name, numbers in (("tagged", tagged), ("given" if given else "volumes", prior)):
        for queue, number in numbers.items():
            refuse((not 0 <= number < float("inf"), f"/{name}/{queue}", f"is {number}; it must be a number >= 0"))
    total, seen = sum(prior.values()), sum(tagged.values())
    refuse((not total + seen > 0, "/volumes", "are all 0, and no contact named the campaign: its queues are unknown"))
    weight = worth / total if total > 0 else 0.0
    shares = {
        queue: (weight * prior.get(queue, 0.0) + tagged.get(queue, 0.0)) / (worth * (total > 0) + seen)
        for queue in sorted({*prior, *tagged})
    }
    return {queue: share for queue, share in shares.items() if share > 0}
