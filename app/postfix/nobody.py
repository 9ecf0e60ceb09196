"""Whether nobody is there who could have held, which is what `on_unreachable = "pass"` is about."""

import errno

import httpx2

from app.client import Unanswered

GONE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT})


def is_nobody(fault: Unanswered) -> bool:
    """Return whether every address of holdfire refused the connection, or could not be reached by the network.

    Nothing else counts: not a fault of this machine, such as too many open files or a name that cannot be looked up;
    nor time that ran out, which may have been lost here; nor TLS that failed, for then somebody is there.
    """
    if not isinstance(fault.__cause__, httpx2.ConnectError):
        return False
    causes = list(_first_causes(fault.__cause__))
    return bool(causes) and all(isinstance(each, OSError) and each.errno in GONE for each in causes)


def _first_causes(fault: BaseException) -> list[BaseException]:
    """Return what a fault comes from in the first place; several, where several addresses were tried."""
    if isinstance(fault, BaseExceptionGroup):
        return [first for each in fault.exceptions for first in _first_causes(each)]
    cause = fault.__cause__ or fault.__context__
    return [fault] if cause is None else _first_causes(cause)
