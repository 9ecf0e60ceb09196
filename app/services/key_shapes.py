"""What a key looks like from outside, the same over HTTP and on the command line."""

from typing import Any

from app.ports.keys import ApiKey
from app.services.profiles import profile_shape
from app.services.shapes import instant


def key_shape(key: ApiKey) -> dict[str, Any]:
    """Return a key as it may be shown, scopes sorted."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(map(str, key.scopes)),  # plain text: a store may hand out subclasses of it
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
        "profile": profile_shape(key.profile),
    }
