"""One waiting contact, by a dense matrix exponential: what the closed forms and the moves are compared with."""

import numpy as np
from scipy.linalg import expm


def tagged_generator(places: int, drain: float, theta: float) -> np.ndarray:
    """Return the generator over 0 .. places - 1 ahead, then "served" and "gone"."""
    served, gone = places, places + 1
    rates = np.zeros((places + 2, places + 2))
    for ahead in range(places):
        rates[ahead, ahead - 1 if ahead else served] += drain + ahead * theta
        rates[ahead, gone] += theta
        rates[ahead, ahead] -= drain + (ahead + 1) * theta
    return rates


def moved(places: int, drain: float, theta: float, seconds: float) -> np.ndarray:
    """Return the probabilities of each place after so many seconds: (places, places + 2)."""
    return expm(tagged_generator(places, drain, theta) * seconds)[:places]
