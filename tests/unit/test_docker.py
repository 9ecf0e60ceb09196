"""The compose files and images: sound by the schema of Compose, and as careful as we promise. No engine is needed."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn import Config

from app.commands.serve import GRACE_SECONDS, _uvicorn_options
from app.settings import PREFIX, Settings, load_settings
from tests.unit.test_docs import page, tracked

DOCKER = Path(__file__).resolve().parents[2] / "docker"
FILES = ("compose.yaml", "compose.cluster.yaml")
REPLICAS = ("holdfire-1", "holdfire-2", "holdfire-3")
VARIABLE = re.compile(r"\$(?:\{(\w+)(:[-?][^}]*)?\}|(\w+))")
PINNED = re.compile(r"[\w./-]+:v?\d[\w.-]*")


@cache
def compose(name: str) -> dict[str, Any]:
    """Return a compose file as it is understood where no variable is set."""
    document: dict[str, Any] = filled_in(yaml.safe_load((DOCKER / name).read_text(encoding="utf-8")))
    return document


def filled_in(node: Any) -> Any:
    """Return what YAML holds with the variables' defaults in its texts: Compose does so after reading, too."""
    match node:
        case str():
            return VARIABLE.sub(lambda found: (found[2] or "")[2:], node)
        case dict():
            return {key: filled_in(value) for key, value in node.items()}
        case list():
            return [filled_in(value) for value in node]
    return node


def services() -> Iterator[Any]:
    for name in FILES:
        yield from (pytest.param(name, service, id=f"{name}-{service}") for service in compose(name)["services"])


each_service = pytest.mark.parametrize(("file", "name"), list(services()))


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_only_what_compose_knows(name: str):
    checker = Path(sys.executable).with_name("check-jsonschema")
    command: list[str | Path] = [
        checker,
        "--builtin-schema",
        "vendor.compose-spec",
        "--output-format",
        "json",
        DOCKER / name,
    ]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, json.loads(checked.stdout)["status"]) == (0, "ok"), checked.stdout


@pytest.mark.parametrize("name", FILES)
def test_every_variable_has_a_default_and_is_explained(name: str):
    for variable, default, bare in VARIABLE.findall((DOCKER / name).read_text(encoding="utf-8")):
        assert not bare
        assert default.startswith(":-")
        assert f"`{variable}" in page("howto/run-in-docker.md")


@each_service
def test_a_service_may_do_no_more_than_it_must(file: str, name: str):
    service = compose(file)["services"][name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@each_service
def test_a_service_is_looked_after_and_ended_in_its_own_way(file: str, name: str):
    service = compose(file)["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()
    assert service["restart"] == "unless-stopped"
    assert service["stop_signal"] in {"SIGTERM", "SIGQUIT", "SIGINT"}
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace >= (2 * GRACE_SECONDS if "holdfire" in service["image"] else GRACE_SECONDS)


@each_service
def test_an_image_is_of_one_version(file: str, name: str):
    service = compose(file)["services"][name]
    assert PINNED.fullmatch(service["image"])
    if "build" not in service:
        return
    build = {"context": service["build"]} if isinstance(service["build"], str) else service["build"]
    dockerfile = DOCKER / build["context"] / build.get("dockerfile", "Dockerfile")
    assert dockerfile.is_file()
    assert all(
        PINNED.fullmatch(base) for base in re.findall(r"^FROM (\S+)", dockerfile.read_text("utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("name", FILES)
def test_our_image_has_our_version(name: str):
    version = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    images = {service["image"] for service in compose(name)["services"].values()}
    assert f"holdfire:{version}" in images


@each_service
def test_what_is_mounted_is_in_the_repository_or_a_volume(file: str, name: str):
    document = compose(file)
    kept = set(tracked())
    for mount in document["services"][name].get("volumes", []):
        source, target, *mode = mount.split(":")
        assert target.startswith("/")
        if source.startswith("."):
            path = (DOCKER / source).resolve()
            assert mode == ["ro"]
            assert any(path == file or path in file.parents for file in kept)
        else:
            assert source in document["volumes"]


@each_service
def test_only_nginx_is_published_beyond_this_machine(file: str, name: str):
    for port in compose(file)["services"][name].get("ports", []):
        assert name == "nginx" or port.startswith("127.0.0.1:")


@each_service
def test_a_service_waits_for_services_that_say_when_they_are_well(file: str, name: str):
    waits = compose(file)["services"][name].get("depends_on", {})
    assert set(waits) <= set(compose(file)["services"])
    assert {wait["condition"] for wait in waits.values()} <= {"service_healthy", "service_started"}


def test_the_replicas_differ_in_their_names_alone():
    cluster = compose("compose.cluster.yaml")["services"]
    assert [cluster[name]["hostname"] for name in REPLICAS] == list(REPLICAS)
    one, *others = ({**cluster[name], "hostname": ""} for name in REPLICAS)
    assert others == [one, one]
    assert one["networks"]["front"] == one["networks"]["watch"] == {"aliases": ["holdfire"]}


def test_what_keeps_data_is_reached_from_nowhere_else():
    cluster = compose("compose.cluster.yaml")
    assert cluster["networks"]["data"] == {"internal": True}
    assert [cluster["services"][name]["networks"] for name in ("postgres", "nats")] == [["data"], ["data"]]
    (subnet,) = cluster["networks"]["front"]["ipam"]["config"]
    environment: Mapping[str, str] = cluster["services"]["holdfire-1"]["environment"]
    assert environment["HOLDFIRE_TRUSTED_PROXIES"] == subnet["subnet"]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "secrets"
    for _ in range(2):
        made = subprocess.run(
            [DOCKER / "make-secrets.sh", folder], capture_output=True, text=True, timeout=30, check=False
        )
        assert made.returncode == 0, made.stderr
    return folder


def test_every_secret_is_made_up_and_kept_where_nobody_else_reads(secrets: Path, tmp_path: Path):
    cluster = compose("compose.cluster.yaml")
    wanted = {Path(secret["file"]).name for secret in cluster["secrets"].values()}
    assert wanted <= {file.name for file in secrets.iterdir()}
    assert secrets.stat().st_mode & 0o077 == 0
    subprocess.run([DOCKER / "make-secrets.sh", tmp_path / "other"], capture_output=True, timeout=30, check=True)
    for name in wanted:
        assert (secrets / name).read_text() != (tmp_path / "other" / name).read_text()
    password = (secrets / "postgres_password").read_text()
    assert f"holdfire:{password}@postgres:5432/holdfire" in (secrets / "database_url").read_text()


@pytest.mark.parametrize(
    ("file", "name"),
    [("compose.yaml", "holdfire"), *(("compose.cluster.yaml", name) for name in (*REPLICAS, "worker"))],
)
def test_holdfire_understands_what_it_is_told(file: str, name: str, secrets: Path):
    service = compose(file)["services"][name]
    names = {setting.removesuffix("_FILE") for setting in service["environment"]}
    assert names <= {PREFIX + field.upper() for field in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    here = {f"/run/secrets/{secret}": str(secrets / secret) for secret in service.get("secrets", [])}
    here |= {mount.split(":")[1]: str(DOCKER / mount.split(":")[0]) for mount in service["volumes"]}
    environment = {setting: here.get(value, value) for setting, value in service["environment"].items()}
    settings = load_settings(environ=environment)
    assert bool(settings.stream_url) == (file == "compose.cluster.yaml")


def test_the_image_is_made_of_what_is_there():
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((DOCKER.parent / source).exists() for source in sources.split())
    (command,) = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', text, re.MULTILINE)
    project = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text("utf-8"))
    assert command in project["project"]["scripts"]
    taken = (DOCKER.parent / ".dockerignore").read_text(encoding="utf-8")
    for needed in (*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "requirements", "LICENSE"):
        assert f"!{needed}\n" in taken
    assert re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE) == ["10001"]


def test_nginx_lets_go_of_an_idle_connection_before_holdfire_does():
    upstream = (DOCKER / "nginx" / "nginx.conf").read_text(encoding="utf-8").partition("upstream holdfire {")[2]
    (seconds,) = re.findall(r"^ *keepalive_timeout (\d+)s;", upstream.partition("}")[0], re.MULTILINE)
    assert int(seconds) < Config("", **_uvicorn_options()).timeout_keep_alive
