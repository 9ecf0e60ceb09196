"""The measures that people know, from a course: NaN ("not known") where nobody arrives, or nobody can be served.

0 % or 100 % is never made from nothing: an interval without arrivals has no service level, and one whose arrivals find
no agent until the horizon has none either (Course.unattended says so: "no agents").
"""

import numpy as np

from app.core.floor.targets import ServiceLevelVariant
from app.core.forecast.course import Course
from app.core.forecast.series import FloatArray

NOBODY = 1e-9


def service_level(course: Course, variant: ServiceLevelVariant = ServiceLevelVariant.OFFERED) -> FloatArray:
    """Return the expected service level, 0..1, (rows, intervals): a ratio of expected contacts.

    A short abandon is one within the target.
    """
    reached = course.answered_in_target
    match variant:
        case ServiceLevelVariant.OFFERED:
            return _ratio(course, reached, course.offered)
        case ServiceLevelVariant.ANSWERED:
            return _ratio(course, reached, course.answered)
        case ServiceLevelVariant.LESS_SHORT_ABANDONS:
            return _ratio(course, reached, course.offered - course.abandoned_in_target)
        case ServiceLevelVariant.LESS_ABANDONS:
            return _ratio(course, reached, course.offered - course.abandoned)
        case ServiceLevelVariant.POSITIVE:
            return _ratio(course, reached + course.abandoned_in_target, course.offered)


def speed_to_answer(course: Course) -> FloatArray:
    """Return the mean wait of those answered, in seconds, (rows, intervals) by interval of arrival."""
    return _ratio(course, course.answered_wait_seconds, course.answered)


def mean_wait(course: Course) -> FloatArray:
    """Return the mean wait of all, answered or not, in seconds; infinite where nobody gives up and nobody serves."""
    return _ratio(course, course.wait_seconds, course.offered)


def abandonment(course: Course) -> FloatArray:
    """Return abandoned / offered, 0..1."""
    return _ratio(course, course.abandoned, course.offered)


def _ratio(course: Course, part: FloatArray, whole: FloatArray) -> FloatArray:
    known = (whole > NOBODY) & ~course.unattended
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=known)
