"""What is wrong with a form, field by field. Pure."""

from collections.abc import Iterable

from app.core.problem import Problem


def faults_of(problems: Iterable[Problem], fields: Iterable[str]) -> dict[str, str]:
    """Return a sentence per field, by the last part of each problem's pointer; one of no field stands under ''."""
    known = frozenset(fields)
    faults: dict[str, str] = {}
    for problem in problems:
        names = [part for part in problem.pointer.split("/") if part in known]
        faults.setdefault(names[-1] if names else "", sentence(problem.detail))
    return faults


def sentence(text: str) -> str:
    """Return a fault's text as a sentence: a capital before it, a full stop behind."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def read_number(text: str, what: str) -> tuple[float, str]:
    """Return a number that somebody typed, 0 where it is none, and what is wrong with it: empty where nothing is."""
    plain = text.strip().replace(",", ".")
    try:
        return float(plain), ""
    except ValueError:
        return 0.0, f"{what}: write a number, such as 20 or 2.5."
