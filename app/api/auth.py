"""Who is asking, and may they? The one place where keys are read and scopes are enforced.

Deny by default: a route that does not say which scope it needs cannot be served (see app.api.routes).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.types import Scope

from app.api.problems import FORBIDDEN, UNAUTHENTICATED, Refused, TooOften
from app.core.client_profile import PLAIN
from app.ports.keys import SCOPES, ApiKey
from app.services.container import Services
from app.services.keys import is_whole

ALL_POWERFUL = "admin"
INGEST = "ingest"
ANONYMOUS = ApiKey("anonymous", "anonymous", frozenset(SCOPES), b"", datetime.fromtimestamp(0, UTC))
RawHeaders = Iterable[tuple[bytes, bytes]]

_KEY_IN_QUERY = re.compile(rb"(?:^|[&=])hf_[a-z0-9]+_[a-z2-7]{8}_", re.IGNORECASE)
_HOW = "send it as 'Authorization: Bearer hf_…'; 'holdfire keys create' makes one"

bearer = HTTPBearer(
    scheme_name="key",
    bearerFormat="hf_<env>_<id>_<secret>",
    description="An API key, made with `holdfire keys create` or `POST /api/v1/keys`; each operation names its scope.",
    auto_error=False,
)


def authenticate(services: Services, headers: RawHeaders) -> ApiKey | None:
    """Return the key a request carries, None without a valid one. With HOLDFIRE_AUTH=off everybody is `anonymous`."""
    if services.settings.auth == "off":
        return ANONYMOUS
    token = _token(headers)
    return services.keys.authenticate(token) if token else None


def authorize(services: Services, headers: RawHeaders, scope: str) -> ApiKey:
    """Return the key of a request that may do what `scope` names.

    Raises Refused: 401 without a key, 429 for one that asks more often than it may, 403 otherwise.
    """
    key = authenticate(services, headers)
    if key is None:
        raise _unauthenticated(_token(headers))
    if key.profile is not PLAIN and (reply := services.keys.rates.refusal(key.id, key.profile)) is not None:
        raise TooOften(reply)
    if scope not in key.scopes and ALL_POWERFUL not in key.scopes:
        raise Refused(
            FORBIDDEN,
            f"this needs the scope {scope!r}; key {key.name!r} has {', '.join(sorted(key.scopes))}",
            headers={"WWW-Authenticate": f'Bearer realm="holdfire", error="insufficient_scope", scope="{scope}"'},
        )
    return key


def _token(headers: RawHeaders) -> str | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else None
    return None


def _unauthenticated(token: str | None) -> Refused:
    if not token:
        detail, error = f"no key was sent; {_HOW}", ""
    elif not is_whole(token):
        detail, error = f"the key is mistyped or cut off: its checksum does not fit; {_HOW}", ', error="invalid_token"'
    else:
        detail, error = f"the key is not known, was revoked or has expired; {_HOW}", ', error="invalid_token"'
    return Refused(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": f'Bearer realm="holdfire"{error}'})


async def require(scopes: SecurityScopes, request: Request, _: Annotated[Any, Security(bearer)]) -> ApiKey:
    """Return the caller's key: the dependency behind every route, in HTTP's terms of `authorize`."""
    (scope,) = scopes.scopes
    return permitted(request.scope, scope)


def permitted(request: Scope, scope: str) -> ApiKey:
    """Return the key of a request, as ASGI has it, that may do what `scope` names; raises as `authorize` does.

    Unlike that, a key in the URL is refused, too.
    """
    if _KEY_IN_QUERY.search(request["query_string"]):
        raise Refused(
            UNAUTHENTICATED,
            f"a key in the URL ends up in logs, so it is refused there; revoke that key and make a new one; {_HOW}",
            headers={"WWW-Authenticate": 'Bearer realm="holdfire", error="invalid_request"'},
        )
    return authorize(request["state"]["services"], request["headers"], scope)


Ingester = Annotated[ApiKey, Security(require, scopes=[INGEST])]
Reader = Annotated[ApiKey, Security(require, scopes=["read"])]
PermitTaker = Annotated[ApiKey, Security(require, scopes=["permits"])]
CampaignWriter = Annotated[ApiKey, Security(require, scopes=["campaigns"])]
PolicyWriter = Annotated[ApiKey, Security(require, scopes=["policies"])]
Admin = Annotated[ApiKey, Security(require, scopes=["admin"])]
