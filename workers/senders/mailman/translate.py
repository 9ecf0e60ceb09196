"""What Mailman 3 says of a held message and its list. Pure."""

from typing import Any

from app.core.sending.standing import SendingState, Standing
from workers.senders.speaking import NotUnderstood, count, member


def list_and_request(campaign: str) -> tuple[str, str]:
    """Return the list and the request's number of an id like news.example.com/17. Raises NotUnderstood."""
    mailing_list, _, request = campaign.rpartition("/")
    if not mailing_list or "/" in mailing_list or not request.isdecimal() or not request.isascii():
        raise NotUnderstood("a held message is named by its list and its request's number, like news.example.com/17")
    return mailing_list, request


def members_of(document: Any) -> int:
    """Return how many members a list has, by GET /3.1/lists/{list}. Raises NotUnderstood."""
    return count(member(document, "member_count"), "member_count")


def check_held(document: Any, request: str) -> None:
    """Raise NotUnderstood unless a document is the held message of that number."""
    if str(member(document, "request_id")) != request:
        raise NotUnderstood("the held message that came is another one than was asked for")


def standing(*, is_held: bool, members: int) -> Standing:
    """Return how a message stands: held, or gone to everybody at once, for Mailman has no state in between."""
    if is_held:
        return Standing(SendingState.READY, 0, members)
    return Standing(SendingState.FINISHED, members, members)
