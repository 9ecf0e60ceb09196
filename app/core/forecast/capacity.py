"""What a team gets done, and how long customers wait before they give up: from what was seen of both.

* The handle time that counts is the effective one, by which agents present turn into contacts done. While somebody
  waits all agents have work, so contacts are done at agents / handle time: with C done and T agent-seconds present in
  minutes with a queue, both halving with every 2 hours of age, it is (50 h + T) / (50 + C), where h is the handle time
  as reported and 50 contacts are how much that is believed. It so takes in wrap-up, auxiliary time and slow days.
* Patience, taken for exponential, is the total waiting time of all contacts over the number of those who gave up: the
  estimate of greatest likelihood when the waits of those answered are censored. Those who gave up within 5 s are left
  out as misdialled. Source: Brown et al., J. American Statistical Association 100 (469), 2005; the 50 contacts and the
  2 hours are judgement.
"""

from dataclasses import dataclass

import numpy as np

from app.core.forecast.series import FloatArray

HALF_LIFE_HOURS = 2.0
BELIEVED_CONTACTS = 50.0
FEWEST_HANDLED = 20
FEWEST_ABANDONED = 20
DEFAULT_PATIENCE_SECONDS = 240.0
CHAT_PATIENCE_SECONDS = 90.0
_HOUR_MINUTES = 60.0
_MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """Handle time and patience of a queue, in seconds, and in words what each is made from.

    handle_seconds None: not known, handle_said says why. is_patience_known: whether patience was observed; otherwise
    patience_seconds is what is usual of such queues.
    """

    handle_seconds: float | None
    handle_said: str
    patience_seconds: float
    patience_said: str
    is_patience_known: bool


def handle_time(handled: FloatArray, handle_seconds: FloatArray) -> float | None:
    """Return summed handle time over handled contacts; None below 20 contacts, or where they took no time.

    Both per step, NaN where not known.
    """
    known = ~np.isnan(handled) & ~np.isnan(handle_seconds)
    contacts, seconds = float(handled[known].sum()), float(handle_seconds[known].sum())
    return seconds / contacts if contacts >= FEWEST_HANDLED and seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was done in minutes with a queue, newer ones weighing more: contacts, and agent-seconds present."""

    contacts: float
    agent_seconds: float

    def effective(self, handle_seconds: float) -> float:
        """Return the handle time by which the agents present got done what they did.

        handle_seconds, > 0: as reported; what is returned without any throughput. Raises ValueError for another.
        """
        if not 0 < handle_seconds < float("inf"):
            raise ValueError(f"handle_seconds={handle_seconds} must be a number > 0")
        return (BELIEVED_CONTACTS * handle_seconds + self.agent_seconds) / (BELIEVED_CONTACTS + self.contacts)


NO_THROUGHPUT = Throughput(0.0, 0.0)


def throughput(completed: FloatArray, backlog: FloatArray, agents: FloatArray) -> Throughput:
    """Return what was done while somebody waited, from minutes, the last one being that before now.

    completed: contacts done in each minute; backlog: the least that waited in it; agents: contacts that the agents
    present can handle at once (agents x concurrency); NaN where not known, and then the minute says nothing. Nothing
    is known, either, when no contact is said to be done in any minute: then whoever reports does not count them.
    """
    if not (completed > 0).any():
        return NO_THROUGHPUT
    counts = (backlog > 0) & (agents > 0) & ~np.isnan(completed)
    age_hours = np.arange(len(completed), 0, -1) / _HOUR_MINUTES
    weights = np.where(counts, 0.5 ** (age_hours / HALF_LIFE_HOURS), 0.0)
    contacts = float(weights @ np.where(counts, completed, 0.0))
    return Throughput(contacts, float(weights @ np.where(counts, agents, 0.0)) * _MINUTE_SECONDS)


def patience(wait_seconds: FloatArray, abandoned: FloatArray, abandoned_at_once: FloatArray) -> float | None:
    """Return the mean patience in seconds; None when fewer than 20 waited more than 5 s and gave up.

    wait_seconds: summed over answered and abandoned; abandoned_at_once: those of abandoned who waited at most 5 s. Per
    step, NaN where not known: counts alone do not tell how long those waited who gave up.
    """
    known = ~np.isnan(wait_seconds) & ~np.isnan(abandoned) & ~np.isnan(abandoned_at_once)
    gave_up = float(abandoned[known].sum() - abandoned_at_once[known].sum())
    waited = float(wait_seconds[known].sum())
    return waited / gave_up if gave_up >= FEWEST_ABANDONED and waited > 0 else None


def usual_patience(queue: str) -> float:
    """Return the patience to go by where too few gave up to tell: 240 s, of a queue named a chat 90 s. Judgement."""
    return CHAT_PATIENCE_SECONDS if "chat" in queue.lower() else DEFAULT_PATIENCE_SECONDS
