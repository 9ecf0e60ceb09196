"""JSON-ready shapes of people and their links, for the API and the command line alike, without passwords."""

from app.core.account.invitation import Invitation
from app.ports.users import User
from app.services.shapes import Shape, instant


def user_shape(user: User) -> Shape:
    """Return a user as the contract shows them."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "created_at": instant(user.created_at),
        "signed_in_at": instant(user.signed_in_at),
        "disabled_at": instant(user.disabled_at),
    }


def invitation_shape(link: Invitation) -> Shape:
    """Return a link that nobody used yet, without its token."""
    return {
        "id": link.id,
        "purpose": link.purpose,
        "email": link.email,
        "role": link.role,
        "made_by": link.made_by,
        "created_at": instant(link.created_at),
        "expires_at": instant(link.expires_at),
    }
