"""What a waiting contact can expect while the number of agents stays as it is, in closed form.

A contact with `ahead` others before it waits for ahead + 1 departures from the queue. With n agents at mu each and
j before it, the next departure comes at the rate c_j = n mu + j theta: a pure death process, whose number of deaths
among r + ahead "individuals", r = n mu / theta, is binomial. Hence, with x = 1 - exp(-theta t), the wait of one who
never gives up is at most t with probability I_x(ahead + 1, r), I the regularised incomplete beta function; and who
gives up at rate theta and is served has the same law with r + 1 in place of r.
The death process is classical (D. G. Kendall, 1949); the queue is Palm's, as in Garnett, Mandelbaum and Reiman,
Manufacturing & Service Operations Management 4(3), 2002.

Throughout: ahead is an array of counts >= 0 (they may be any shape), drain = n mu per second (0: no agents), theta =
1 / mean patience per second (0: nobody gives up).
"""

import numpy as np
from scipy.special import betainc, gammainc, gammaincc

from app.core.forecast.series import FloatArray


def served(ahead: FloatArray, drain: float, theta: float) -> FloatArray:
    """Return the probability of being served at all: n mu / (n mu + (ahead + 1) theta); 0 without agents."""
    if drain <= 0:
        return np.zeros_like(ahead)
    probability: FloatArray = drain / (drain + (ahead + 1) * theta)
    return probability


def served_wait(ahead: FloatArray, drain: float, theta: float) -> FloatArray:
    """Return E[wait; served] in seconds: the mean wait of those served, times the probability of being served.

    Who is served waits for ahead + 1 departures at the tilted rates n mu + (j + 1) theta, j = 0 .. ahead; the mean is
    the sum of their inverses. 0 without agents, as nobody is served.
    """
    if drain <= 0:
        return np.zeros_like(ahead)
    departures = np.arange(1.0, float(ahead.max(initial=0.0)) + 2)
    means = np.cumsum(1 / (drain + departures * theta))
    return np.asarray(means[ahead.astype(np.intp)] * served(ahead, drain, theta))


def served_within(ahead: FloatArray, drain: float, theta: float, seconds: float) -> FloatArray:
    """Return the probability of being served after at most so many seconds: served x I_x(ahead + 1, r + 1)."""
    if drain <= 0:
        return np.zeros_like(ahead)
    if theta <= 0:
        return np.asarray(gammainc(ahead + 1, drain * seconds))
    share: FloatArray = betainc(ahead + 1, drain / theta + 1, -np.expm1(-theta * seconds))
    return share * served(ahead, drain, theta)


def still_waiting(ahead: FloatArray, drain: float, theta: float, seconds: float) -> FloatArray:
    """Return the probability of being neither served nor gone after so many seconds: (1 - x)(1 - I_x(ahead + 1, r))."""
    stays = np.exp(-theta * seconds)
    if drain <= 0:
        return np.full_like(ahead, stays)
    if theta <= 0:
        return np.asarray(gammaincc(ahead + 1, drain * seconds))
    gone = betainc(ahead + 1, drain / theta, -np.expm1(-theta * seconds))  # scipy's complement of it is much slower
    return np.asarray((1 - gone) * stays)
