r"""Regular expressions that are safe to match while somebody waits: a small language whose cost is known beforehand.

Python's matcher tries alternatives one after the other, so that a pattern such as (a+)+ can keep it busy for ever.
What is taken here is literals, `.`, classes ([a-z], \d, \w, \s), `*`, `+`, `?` and {n,m} after one of these, and
alternatives in groups that are not repeated. Their attempts multiply, so they are counted before they are made.
"""

import re

LONGEST_PATTERN = 200
LONGEST_VALUE = 128
MOST_ATTEMPTS = 20_000  # two stars in a name of 128 characters; some tenths of a millisecond
TAKEN = r"literals, ., [a-z], \d, \w, \s, then *, +, ? or {n,m}, and alternatives like (spring|summer)"

_ONE = r"""\\[dwsDWS]|\\[^\w\s]|\[\^?\]?(?:\\.|(?!--|&&|~~|\|\|)[^\[\]\\])*\]|[^\\\[\](){}*+?|^$]"""
_TIMES = r"""[*+?]|\{\d{1,3}(?:,\d{0,3})?\}"""
_TOKEN = re.compile(rf"(?P<one>{_ONE})(?P<times>{_TIMES})?|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<bar>\|)")


def pattern_fault(pattern: str) -> str | None:
    """Return why a pattern is not taken, None when it is. It has to match a whole value of up to 128 characters."""
    if len(pattern) > LONGEST_PATTERN:
        return f"a pattern of {len(pattern)} characters is too long; {LONGEST_PATTERN} are allowed"
    attempts = _attempts(pattern)
    if attempts is None:
        return f"{pattern!r} has parts that are not taken here, or is incomplete; use {TAKEN}"
    if attempts > MOST_ATTEMPTS:
        return f"{pattern!r} could take too long to match; use fewer of *, +, {{n,m}} and | (two of * are fine)"
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as fault:
        return f"{pattern!r} is no regular expression: {fault}"
    return None


def _attempts(pattern: str) -> int | None:
    """Return in how many ways the pattern could be tried at most; None for one with parts that are not taken.

    Alternatives are tried one after the other, so theirs add up; what follows is tried after each, so those multiply.
    """
    levels = [[0, 1]]  # of each group that is open: the alternatives so far, and the one being read
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return None
        at = token.end()
        if token["open"]:
            levels.append([0, 1])
        elif token["bar"]:
            done, current = levels[-1]
            levels[-1] = [done + current, 1]
        elif token["close"]:
            if len(levels) == 1 or re.match(_TIMES, pattern[at:]):
                return None
            done, current = levels.pop()
            levels[-1][1] *= done + current
        else:
            levels[-1][1] *= _counts(token["times"])
    done, current = levels[-1]
    return done + current if len(levels) == 1 else None


def _counts(times: str | None) -> int:
    """Return how many different numbers of repetitions could be tried."""
    if times is None:
        return 1
    if times in ("*", "+"):
        return LONGEST_VALUE + 1
    if times == "?":
        return 2
    low, comma, high = times.strip("{}").partition(",")
    if not comma:
        return 1
    return max(1, (int(high) if high else LONGEST_VALUE) - int(low) + 1)
