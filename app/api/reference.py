"""/openapi.json, and /docs: the same document as a page for people, rendered here, with nothing fetched elsewhere."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from app.api.problems import KINDS

router = APIRouter(include_in_schema=False)
METHODS = ("get", "post", "put", "patch", "delete")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_templates = Environment(
    loader=PackageLoader("app"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def prose(text: str) -> Markup:
    """Return a description's `code`, **strong** words, paragraphs and lists as HTML; everything else is escaped."""
    html = str(escape(text))
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html)
    blocks = [block.strip() for block in html.split("\n\n")]
    return Markup("".join(_block(block) for block in blocks))  # noqa: S704  every character above is escaped first


def _block(html: str) -> str:
    if html.startswith("* "):
        return "<ul>" + "".join(f"<li>{item}</li>" for item in html.removeprefix("* ").split("\n* ")) + "</ul>"
    return f"<p>{html}</p>"


_templates.filters["prose"] = prose


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter or member: name, where it goes, its type in words, whether it must be there, what it means."""

    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One status an operation answers: what it means, and an example where the document has one."""

    status: str
    description: str
    example: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str | None
    parameters: tuple[Field, ...]
    bodies: tuple[str, ...]
    members: tuple[Field, ...]
    examples: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


@router.get("/openapi.json")
async def openapi_json(request: Request) -> Response:
    """Return the OpenAPI document."""
    return Response(msgspec.json.encode(request.app.openapi()), media_type="application/json")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the reference as a page."""
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(_page(msgspec.json.encode(request.app.openapi())), headers=headers)


@lru_cache(maxsize=2)
def _page(encoded: bytes) -> str:
    document = msgspec.json.decode(encoded)
    return _templates.get_template("pages/api_reference.html").render(
        info=document["info"],
        tags=[(tag, tuple(operations(document, tag["name"]))) for tag in document["tags"]],
        kinds=KINDS,
    )


def operations(document: Mapping[str, Any], tag: str) -> Iterator[Operation]:
    """Yield the operations of one tag in the document's order."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if tag in item.get(method, {}).get("tags", ()):
                yield _operation(document, path, method, item[method])


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    schema = _one(document, next(iter(content.values()))["schema"]) if content else {}
    security = operation.get("security", [])
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        scope=next(iter(security[0].values()))[0] if security else None,
        parameters=tuple(_parameter(parameter) for parameter in operation.get("parameters", ())),
        bodies=tuple(content),
        members=tuple(_members(schema)),
        examples=tuple(_examples(content)) or tuple(_pretty(example) for example in schema.get("examples", ())),
        outcomes=tuple(_outcome(status, answer) for status, answer in sorted(operation["responses"].items())),
    )


def _one(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema itself for a reference, and the single item's for one-or-many."""
    if "oneOf" in schema:
        schema = schema["oneOf"][0]
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _parameter(parameter: Mapping[str, Any]) -> Field:
    return Field(
        parameter["name"],
        parameter["in"],
        type_words(parameter["schema"]),
        parameter.get("required", False),
        parameter.get("description") or parameter["schema"].get("description", ""),
    )


def _members(schema: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield Field(name, "body", type_words(member), name in required, member.get("description", ""))


def type_words(schema: Mapping[str, Any]) -> str:
    """Return a schema's type in a few words: number 0 to 1, one of a, b, text or null."""
    if "anyOf" in schema:
        return " or ".join(type_words(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if schema.get("format") == "date-time":
        return "RFC 3339 time"
    return _plain_words(schema)


def _plain_words(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "any")
    if kinds == "array" and "items" in schema:
        return f"list of {type_words(schema['items'])}"
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is not None and high is not None:
        return f"{words} {low:,} to {high:,}"
    return words.replace("string", "text")


def _examples(content: Mapping[str, Any]) -> Iterator[str]:
    for described in content.values():
        for example in described.get("examples", {}).values():
            yield _pretty(example["value"])


def _outcome(status: str, answer: Mapping[str, Any]) -> Outcome:
    for described in answer.get("content", {}).values():
        if "example" in described:
            return Outcome(status, answer["description"], _pretty(described["example"]))
    return Outcome(status, answer["description"], None)


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
