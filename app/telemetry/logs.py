"""Logs as events with values, one line each: for people on a terminal, JSON elsewhere. Secrets never get that far.

Everything goes through the standard library's root logger, so uvicorn's and SQLAlchemy's lines look like ours. Write
`log.warning("checkpoint_failed", extra={"gate": gate})`: the event's name, then its values.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Level = Literal["debug", "info", "warning", "error"]
Style = Literal["auto", "json", "console"]

HIDDEN = "[hidden]"
_request_id: ContextVar[str] = ContextVar("request_id")  # structlog's own way costs three times as much per request
SECRET_NAMES = re.compile(r"(?i)(secret|token|password|passwd|authorization|cookie|api_?key)s?$")
SECRET_VALUES = (
    re.compile(r"(?P<keep>\bhf_[A-Za-z0-9]+_[A-Za-z0-9]+_)[A-Za-z0-9_-]+"),  # our keys: the id may be shown
    re.compile(r"(?P<keep>\bhfc_)[A-Za-z0-9_-]+"),  # calendar tokens, which stand in an address
    re.compile(r"(?P<keep>\bhfd_)[A-Za-z0-9_-]+"),  # screens' tokens, which stand in an address, too
    re.compile(r"(?P<keep>/(?:setup|join|reset|wall)/)[A-Za-z0-9_-]{20,}"),  # links that let somebody in
    re.compile(r"(?P<keep>\bwhsec_)[A-Za-z0-9+/=_-]+"),
    re.compile(r"(?P<keep>(?i:\b(?:bearer|basic)) )(?!hf_)[A-Za-z0-9+/=._~-]+"),
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+(?=@)"),  # a password inside a URL
)


def configure_logs(level: Level = "info", style: Style = "auto", stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (default: standard error). May be called again."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    pretty = style == "console" or (style == "auto" and stream.isatty())
    handler.setFormatter(_formatter(pretty=pretty, colors=stream.isatty()))
    root = logging.getLogger()
    for former in root.handlers[:]:
        if isinstance(former.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # metrics count requests at a tenth of the cost
    logging.getLogger("alembic").setLevel(logging.WARNING)  # tells each start what it always does
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # writes down whole URLs, and chat tools' are secrets


@contextmanager
def request_context(request_id: str) -> Iterator[None]:
    """Return a context in which every log line of this task carries the request's id."""
    before = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(before)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the event with every secret hidden: by the name it goes by, or by what it looks like."""
    return {name: _redacted(name, value) for name, value in event.items()}


def _redacted(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name) and value:
        return HIDDEN
    if isinstance(value, str):
        for pattern in SECRET_VALUES:
            value = pattern.sub(rf"\g<keep>{HIDDEN}", value)
        return value
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", inner) for inner in value]
    if isinstance(value, int | float | None):
        return value
    return _redacted("", str(value))


def _formatter(*, pretty: bool, colors: bool) -> logging.Formatter:
    before: list[Processor] = [
        _with_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    render: list[Processor] = (
        [redact, structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="at")]
        if pretty
        else [redact, structlog.processors.JSONRenderer(serializer=_json)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _drop_copies,
            structlog.processors.format_exc_info,
            *render,
        ],
    )


def _with_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = _request_id.get(None)
    return event if request_id is None else {"request_id": request_id, **event}


def _drop_copies(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn says everything twice, once in colour
    event.pop("message", None)  # another handler's formatter leaves the text on the record
    return event


def _json(event: EventDict, **_: Any) -> str:
    return msgspec.json.encode(event).decode()
