"""The tables that mod_callcenter prints: `a|b|c` lines below a line of names, and `+OK`. Pure.

Names and order of the columns changed between versions, so they are found by name. Nothing is escaped in there: a
caller's name that holds a bar moves what stands right of it. Columns left of the caller's are counted from the left,
those right of it from the right.
"""

from collections.abc import Iterator, Mapping, Sequence

from workers.systems.faults import TranslateError

_PRIVATE = ("cid_number", "cid_name")


def rows(body: bytes, what: str, needed: Sequence[str]) -> Iterator[Mapping[str, str] | None]:
    """Yield the needed columns of each row; None for a row with too few columns. An empty table has no names either.

    Raises TranslateError when the answer is no table, or has not all of the columns; `what` names it.
    """
    lines = body.decode(errors="replace").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or lines[-1].strip() != "+OK":
        raise TranslateError(f"the list of {what} does not end as a list does; is mod_callcenter loaded and allowed?")
    if len(lines) == 1:
        return
    names = [name.strip() for name in lines[0].split("|")]
    places = {name: _place(names, name) for name in needed}
    for line in lines[1:-1]:
        values = line.split("|")
        if len(values) < len(names) or (len(values) > len(names) and not set(_PRIVATE) & set(names)):
            yield None
        else:
            yield {name: values[place].strip() for name, place in places.items()}


def _place(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise TranslateError(f"a list has no column {name}")
    place = names.index(name)
    private = [names.index(each) for each in _PRIVATE if each in names]
    return place - len(names) if private and place > min(private) else place
