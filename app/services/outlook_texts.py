"""What an outlook was made from, and what came out, as compressed JSON; and what was known, back exactly as it was."""

import zlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from app.core.forecast.case import Rate
from app.core.forecast.foresee import Foreseen, Sender
from app.core.forecast.kernel import Kernel, log_logistic_kernel
from app.core.forecast.known import Known, QueueKnown, SendKnown
from app.core.forecast.limits import OutlookLimits

EFFORT = 6
_COUNTS = frozenset({"agents"})
_FLAGS = frozenset({"is_open", "opened_before"})

Shape = dict[str, Any]


def pack_known(known: Known) -> bytes:
    """Return what was known as one compressed text."""
    return _packed(
        {
            "at": known.at,
            "limits": known.limits,
            "queues": [_queue_shape(queue) for queue in known.queues],
            "sent": known.sent,
            "senders": known.senders,
            "may_start": _array_shape(known.may_start),
            "kernel": _array_shape(known.kernel.masses) if known.kernel.is_learned else None,
        }
    )


def unpack_known(text: bytes) -> Known:
    """Return what pack_known was given. Raises ValueError for any other text."""
    shape = _unpacked(text)
    return Known(
        msgspec.convert(shape["at"], datetime),
        msgspec.convert(shape["limits"], OutlookLimits),
        tuple(_queue(each) for each in shape["queues"]),
        tuple(_send(each) for each in shape["sent"]),
        tuple(_sender(each) for each in shape["senders"]),
        np.array(shape["may_start"], dtype=np.bool_),
        _kernel(shape["kernel"]),
    )


def pack_foreseen(foreseen: Foreseen) -> bytes:
    """Return what was foreseen as one compressed text."""
    return _packed(foreseen)


def unpack_foreseen(text: bytes) -> Mapping[str, Any]:
    """Return what pack_foreseen was given, JSON-ready. Raises ValueError for any other text."""
    return _unpacked(text)


def foreseen_shape(foreseen: Foreseen) -> Mapping[str, Any]:
    """Return what unpack_foreseen gives for what pack_foreseen was given: to compare the two."""
    return _unpacked(_packed(foreseen))


def _queue_shape(queue: QueueKnown) -> Shape:
    values = {each.name: getattr(queue, each.name) for each in fields(queue)}
    return {name: _array_shape(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}


def _array_shape(values: np.ndarray) -> list[Any]:
    listed: list[Any] = (values.astype(np.int8) if values.dtype == np.bool_ else values).tolist()
    return listed


def _queue(shape: Shape) -> QueueKnown:
    arrays = {name: np.array(value, dtype=_kind(name)) for name, value in shape.items() if isinstance(value, list)}
    return QueueKnown(**shape | arrays)


def _kind(name: str) -> Any:
    if name in _FLAGS:
        return np.bool_
    return np.int64 if name in _COUNTS else np.float64


def _kernel(masses: list[float] | None) -> Kernel:
    return log_logistic_kernel() if masses is None else Kernel(np.array(masses, dtype=np.float64), is_learned=True)


def _send(shape: Shape) -> SendKnown:
    messages = tuple((float(minute), float(number)) for minute, number in shape["messages"])
    return SendKnown(shape["campaign"], Rate(**shape["rate"]), _shares(shape), messages)


def _sender(shape: Shape) -> Sender:
    return Sender(shape["campaign"], Rate(**shape["rate"]), _shares(shape), shape["most"])


def _shares(shape: Shape) -> tuple[tuple[str, float], ...]:
    return tuple((queue, share) for queue, share in shape["shares"])


def _packed(value: object) -> bytes:
    return zlib.compress(msgspec.json.encode(value), EFFORT)


def _unpacked(text: bytes) -> Shape:
    try:
        shape: Shape = msgspec.json.decode(zlib.decompress(text), type=dict[str, Any])
    except zlib.error as fault:
        raise ValueError(f"no kept outlook: {fault}") from fault
    return shape
