"""What is said about input that no forecast of contacts may be made from."""

from app.core.problem import InputRefused, Problem


class ResponseRefused(InputRefused):
    """No forecast or estimate of a campaign's contacts can be made from this; `problems` has every fault found."""

    what = "response"


def refuse(*faults: tuple[bool, str, str]) -> None:
    """Raise ResponseRefused with the (pointer, detail) of every fault whose first member is true; else do nothing."""
    problems = [Problem(pointer, detail) for is_wrong, pointer, detail in faults if is_wrong]
    if problems:
        raise ResponseRefused(problems)
