"""How every list is answered: a page of it, and the cursor of the next one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import Request
from starlette.responses import Response

from app.api.cursors import cursor_of, next_link
from app.api.deps import answer

Item = TypeVar("Item")


def page_of(
    request: Request,
    found: Sequence[Item],
    limit: int,
    *,
    shape: Callable[[Item], object],
    key: Callable[[Item], object],
) -> Response:
    """Return the answer for the first `limit` of what was found, which is one more where another page follows.

    key: the place of an item in the list, from which the next page goes on.
    """
    page = found[:limit]
    following = cursor_of(key(page[-1])) if len(found) > limit else None
    body = {"items": [shape(item) for item in page], "next_cursor": following}
    return answer(body, headers=next_link(request, following))
