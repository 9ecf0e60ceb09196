"""Asks Amazon Connect through boto3, which is not asynchronous: each question is asked on a thread."""

import asyncio
import importlib
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from workers.posting import retry_after
from workers.sources.amazon_connect.config import Access
from workers.sources.amazon_connect.quota import Turnstile, turnstile
from workers.systems.faults import BadAnswer, RateLimited, Refused, SourceFault, TranslateError

MOST_PAGES = 50
PAGE = 100

_LIMITS = frozenset({"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "Throttling"})
_DENIALS = frozenset(
    {
        "AccessDeniedException", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId",
        "InvalidSignatureException", "MissingAuthenticationTokenException", "NotAuthorized", "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)  # fmt: skip
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
        "TokenRetrievalError", "UnauthorizedSSOTokenError", "SSOTokenLoadError", "InvalidConfigError",
    }
)  # fmt: skip
_CODE = re.compile(r"[A-Za-z]{1,60}")
_TOO_MANY = 429
_DENIED = frozenset({401, 403})


class Client:
    """One instance, asked in the pace of its account."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Any = None

    async def pages(self, operation: str, question: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return all pages that a question is answered with. Raises SourceFault.

        Their token is good for five minutes; a poll never lasts so long, and one that fails begins anew.
        """
        pages: list[Mapping[str, Any]] = []
        token = None
        for _ in range(MOST_PAGES):
            asked = {**question, "MaxResults": PAGE} | ({"NextToken": token} if token else {})
            page = await self._ask(operation, asked)
            pages.append(page)
            former, token = token, page.get("NextToken")
            if not token:
                return pages
            if token == former:
                break
        raise TranslateError(f"{operation} has no last page")

    def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _ask(self, operation: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        gate = self._turnstile()
        await asyncio.sleep(gate.reserve())
        try:
            answer = await asyncio.to_thread(self._call, operation, question)
        except RateLimited as fault:
            gate.hold_off(fault.retry_after_seconds)
            raise
        if not isinstance(answer, dict):
            raise TranslateError(f"{operation} answers with something that is no object")
        return answer

    def _turnstile(self) -> Turnstile:
        instance, access = self._access.instance, self._access
        return turnstile(instance.account, instance.region, access.endpoint, access.requests_per_second)

    def _call(self, operation: str, question: Mapping[str, Any]) -> Any:
        """Ask, on a thread of its own. Raises SourceFault."""
        exceptions = importlib.import_module("botocore.exceptions")
        parsers = importlib.import_module("botocore.parsers")
        try:
            self._client = self._client or _made(self._access)
            return getattr(self._client, operation)(**question)
        except exceptions.ClientError as fault:
            raise _told(operation, fault.response) from None
        except exceptions.BotoCoreError as fault:
            raise _failed(operation, fault) from None
        except (parsers.ResponseParserError, AttributeError, KeyError, TypeError, ValueError) as fault:
            raise TranslateError(f"the answer to {operation} cannot be read ({type(fault).__name__})") from None


def _made(access: Access) -> Any:
    """Return a client that asks once: when and how often to ask again is ours to say."""
    logging.getLogger("botocore").setLevel(logging.INFO)  # below that it writes down whole answers
    boto3, config = importlib.import_module("boto3.session"), importlib.import_module("botocore.config")
    secrets = {
        "aws_access_key_id": access.access_key_id,
        "aws_secret_access_key": access.secret_access_key,
        "aws_session_token": access.session_token,
    }
    session = boto3.Session(
        profile_name=access.profile,
        region_name=access.instance.region,
        **{name: each.get_secret_value() for name, each in secrets.items() if each is not None},
    )
    timeouts = {"connect_timeout": access.timeout_seconds, "read_timeout": access.timeout_seconds}
    return session.client(
        "connect",
        endpoint_url=access.endpoint or None,
        config=config.Config(**timeouts, retries={"mode": "standard", "total_max_attempts": 1}),
    )


def _told(operation: str, response: Mapping[str, Any]) -> SourceFault:
    """Return the fault that an answer with an error stands for; its message is never quoted."""
    meta, error = response.get("ResponseMetadata", {}), response.get("Error", {})
    status, code = int(meta.get("HTTPStatusCode", 0)), str(error.get("Code", ""))
    said = f"{operation} was answered with HTTP {status}" + (f" ({code})" if _CODE.fullmatch(code) else "")
    if code in _LIMITS or status == _TOO_MANY:
        return RateLimited(f"{said}: the account's quota is used up", retry_after(meta.get("HTTPHeaders", {})))
    if code in _DENIALS or status in _DENIED:
        return Refused(f"{said}: these credentials may not do that, or this machine's clock is wrong")
    return BadAnswer(said, status)


def _failed(operation: str, fault: Exception) -> SourceFault:
    """Return the fault that botocore's own error stands for."""
    kind = type(fault).__name__
    if kind in _NO_CREDENTIALS:
        return Refused(f"there are no AWS credentials to ask with ({kind})")
    return SourceFault(f"{operation} was not answered ({kind})")
