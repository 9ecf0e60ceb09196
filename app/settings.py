"""Settings: read once by the process that wires things together, frozen from then on.

Flags win over the environment, that over `holdfire.toml`, that over the defaults. Every field is one variable
HOLDFIRE_<NAME>; a variable HOLDFIRE_<NAME>_FILE names a file that holds the value.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode

from app.core.webhooks.address import Allowed
from app.errors import Invalid
from app.masking import masked
from app.stream_address import parse_stream_address

PREFIX = "HOLDFIRE_"
_ORIGIN = re.compile(r"https?://[^/?#@\s]+/?")
_LISTS = ("complaint_reasons", "allowed_origins", "webhook_allowed_networks", "trusted_proxies")


def default_data_dir() -> Path:
    """Return the folder for the database where none is named: $XDG_DATA_HOME/holdfire, else below the home folder."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "holdfire"


class Settings(BaseModel):
    """Everything an operator can set. Building one checks every value; `load_settings` names the variable at fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 lets the system pick one")
    auth: Literal["on", "off"] = Field(
        default="on", description="off needs no key and no sign-in; only allowed on a loopback address"
    )
    data_dir: Path = Field(default_factory=default_data_dir, description="folder for the embedded database")
    database_url: str = Field(default="", description="sqlite:///… ; empty: holdfire.db in the data folder")
    stream_url: str = Field(default="", description="where the stream lives, nats://… or tls://…; empty: the database")
    stream_hours: float = Field(default=72, ge=26, le=8760, description="hours that a stream on NATS keeps records")
    stream_replicas: int = Field(default=1, ge=1, le=5, description="servers of NATS that each keep the whole stream")
    retention_raw_days: float = Field(default=30, ge=1, le=3650, description="days to keep raw observations and events")
    retention_minutes_days: float = Field(default=400, ge=1, le=3650, description="days to keep 1-minute history")
    contacts_expire_after_seconds: float = Field(
        default=4 * 3600, ge=60, le=86400, description="a contact that says nothing more is given up after that long"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level to log")
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal, JSON elsewhere"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="further origins that pages may come from, comma separated; the own host always may"
    )
    webhook_allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="networks and host names that webhooks may go to though they are not public"
    )
    session_hours: float = Field(default=12, ge=0.25, le=720, description="how long a browser stays signed in at most")
    session_idle_hours: float = Field(
        default=4, ge=0.25, le=720, description="how long a browser stays signed in that opens and watches nothing"
    )
    drain_seconds: float = Field(
        default=0, ge=0, le=300, description="how long to answer on, not ready any more, once told to end by SIGTERM"
    )
    public_url: str = Field(
        default="", description="where people open holdfire, for links to hand out; https makes cookies secure"
    )
    admin_email: str = Field(default="", description="makes the first admin of a new installation, with the password")
    admin_password: SecretStr = Field(default=SecretStr(""), description="the first admin's; better in a file")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="networks of proxies in front, whose X-Forwarded-For is believed, comma separated"
    )
    complaint_reasons: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("complaint", "complaints"), description="reason tags of contacts that are complaints, comma separated"
    )
    demo: bool = Field(default=False, description="marks every page as a demonstration")
    sources: tuple[dict[str, Any], ...] = Field(default=(), description="[[sources]] tables of holdfire.toml")
    senders: tuple[dict[str, Any], ...] = Field(default=(), description="[[senders]] tables of holdfire.toml")
    postfix_policy: dict[str, Any] = Field(default_factory=dict, description="[postfix_policy] table of holdfire.toml")

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        texts = {name: values[name] for name in _LISTS if isinstance(values.get(name), str)}
        split = {name: tuple(part.strip() for part in text.split(",") if part.strip()) for name, text in texts.items()}
        return values | split

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _networks_can_be_read(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        Allowed.of(items)
        return items

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_can_be_read(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        for item in items:
            ip_network(item)
        return items

    @field_validator("complaint_reasons")
    @classmethod
    def _reasons_in_lower_case(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(item.lower() for item in items)

    @field_validator("stream_url")
    @classmethod
    def _stream_can_be_found(cls, url: str) -> str:
        if url:
            parse_stream_address(url)
        return url

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str) -> str:
        if url and not _ORIGIN.fullmatch(url):
            raise ValueError("must be scheme and host, like https://holdfire.example, with nothing behind")
        return url.removesuffix("/")

    @model_validator(mode="after")
    def _admin_has_a_password(self) -> "Settings":
        if bool(self.admin_email) != bool(self.admin_password.get_secret_value()):
            raise ValueError(
                f"{PREFIX}ADMIN_EMAIL and {PREFIX}ADMIN_PASSWORD, or {PREFIX}ADMIN_PASSWORD_FILE, go together; "
                f"set both, or none and use the link that 'holdfire serve' prints"
            )
        return self

    @model_validator(mode="after")
    def _auth_off_stays_local(self) -> "Settings":
        if self.auth == "off" and not is_loopback(self.host):
            raise ValueError(
                f"{PREFIX}AUTH=off only binds to a loopback address, not {PREFIX}HOST={self.host}; "
                f"set {PREFIX}AUTH=on and create a key with 'holdfire keys create'"
            )
        return self

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.expanduser().absolute() / 'holdfire.db'}"


def is_loopback(host: str) -> bool:
    """Return whether an address reaches only this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from flags (None values are unset), the environment and holdfire.toml, in that order.

    Raises Invalid with one problem per bad value, each naming where it came from, the value and what is allowed.
    """
    environ = os.environ if environ is None else environ
    origins: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, value in _from_file(environ).items():
        values[name], origins[name] = value, f"{name} in holdfire.toml"
    for name, value in _from_environment(environ).items():
        values[name], origins[name] = value, f"{PREFIX}{name.upper()}"
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origins[name] = value, f"--{name.replace('_', '-')}"
    try:
        return Settings(**values)
    except ValidationError as fault:
        raise Invalid(_explain(fault, values, origins)) from None


def _from_file(environ: Mapping[str, str]) -> dict[str, Any]:
    named = environ.get(f"{PREFIX}CONFIG")
    path = Path(named or "holdfire.toml")
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise Invalid(f"{path} cannot be read as TOML: {fault}") from fault


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        file_variable = f"{variable}_FILE"
        if variable in environ and file_variable in environ:
            raise Invalid(f"{variable} and {file_variable} are both set; keep one")
        if variable in environ:
            values[name] = environ[variable]
        elif file_variable in environ:
            values[name] = _secret(file_variable, environ[file_variable])
    return values


def _secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise Invalid(f"{variable}={path} cannot be read: {fault}") from fault


def _explain(fault: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    lines = []
    for error in fault.errors():
        if not error["loc"]:
            lines.append(str(error["ctx"]["error"]))
            continue
        name = str(error["loc"][0])
        known = name in Settings.model_fields
        shown = f"{origins.get(name, name)}={masked(values.get(name), name)!r}"
        _, should, rule = str(error["msg"]).partition(" should ")
        said = f" must {rule}" if should else f": {error['msg']}"
        allowed = said if known else f" is not a setting; known are {', '.join(sorted(Settings.model_fields))}"
        meaning = f" ({Settings.model_fields[name].description})" if known else ""
        lines.append(f"{shown}{allowed}{meaning}")
    return "\n".join(lines)
