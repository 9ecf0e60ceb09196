"""The docs keep up with the code: every name a user can meet is in them, every link in them leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli import cli
from app.core.event import MEANINGS as MEANINGS_OF_EVENTS
from app.core.event import EventType
from app.core.floor.metric import Metric
from app.core.floor.targets import ServiceLevelVariant
from app.core.gate.decision import ReasonCode, Verdict
from app.core.gate.policy import default_policy_document
from app.main import create_app
from app.ports.keys import SCOPES
from app.settings import PREFIX, Settings
from app.telemetry import gates, state
from app.telemetry.metrics import Metrics

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)|<(docs/[^>\s]+)>")
STATE_MEANINGS = state.MEANINGS | gates.MEANINGS
COUNTED = {"holdfire_ingest_samples", "holdfire_contacts_expired", "holdfire_contact_events_late"}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@cache
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_in_the_reference(name):
    assert f"| `{PREFIX}{name.upper()}` |" in page("reference/settings.md")


@pytest.mark.parametrize(
    ("name", "default"),
    [
        (name, field.default)
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, str | int | float) and not isinstance(field.default, bool) and field.default != ""
    ],
)
def test_every_default_in_the_reference_is_the_real_one(name, default):
    (row,) = re.findall(rf"^\| `{PREFIX}{name.upper()}` \| (.*?) \|", page("reference/settings.md"), re.MULTILINE)
    assert row == f"`{default}`"


def metric_names() -> list[str]:
    counted = {
        family.name + ("_total" if family.type == "counter" else "_info" if family.type == "info" else "")
        for family in Metrics().registry.collect()
        if family.name.startswith("holdfire_")
    }
    return sorted(counted | {f"{name}_total" if name in COUNTED else name for name in STATE_MEANINGS})


@pytest.mark.parametrize("name", metric_names())
def test_every_metric_is_in_the_reference(name):
    assert f"| `{name}` |" in page("reference/metrics.md")


def test_the_reference_names_no_metric_that_is_not_there():
    named = set(re.findall(r"^\| `(holdfire_\w+)` \|", page("reference/metrics.md"), re.MULTILINE))
    assert named == set(metric_names())


def test_rules_and_alerts_use_only_metrics_that_are_there():
    known = set(metric_names()) | {f"{name}_bucket" for name in metric_names()}
    for path in sorted((REPOSITORY / "docker" / "prometheus").glob("holdfire.*.yml")):
        used = set(re.findall(r"(?<![\w:])holdfire_\w+", path.read_text(encoding="utf-8")))
        assert used <= known, path.name


def test_every_alert_has_its_page():
    text = (REPOSITORY / "docker" / "prometheus" / "holdfire.alerts.yml").read_text(encoding="utf-8")
    alerts = re.findall(r"alert: (\w+)", text)
    assert alerts
    for alert in alerts:
        assert f"## {alert}\n" in page("howto/alerts.md")
        assert f"runbook_url: docs/howto/alerts.md#{alert.lower()}" in text


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_code_is_in_the_reference(code):
    assert f"| `{code}` |" in page("reference/reason-codes.md")


@pytest.mark.parametrize("kind", list(EventType))
def test_every_event_type_is_in_the_reference_with_who_is_told(kind):
    meaning = MEANINGS_OF_EVENTS[kind]
    told = "at once" if meaning.urgent else "yes" if meaning.told else "no"
    assert f"| `{kind}` | {meaning.text} | {told} |" in page("reference/events.md")


def test_the_reference_names_no_event_type_that_is_not_there():
    named = re.findall(r"^\| `(\w+\.\w+)` \|", page("reference/events.md"), re.MULTILINE)
    assert named == list(EventType)


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_of_a_queue_has_its_formula_or_its_meaning(metric):
    assert f"`{metric}`" in page("reference/formulas.md") + page("reference/glossary.md")


@pytest.mark.parametrize("variant", list(ServiceLevelVariant))
def test_every_service_level_variant_has_its_formula(variant):
    assert f"| `{variant}`" in page("reference/formulas.md")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_in_the_glossary(verdict):
    assert f"**{verdict}**" in page("reference/glossary.md")


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_is_explained(scope):
    assert f"`{scope}`" in page("howto/run-with-keys.md")


def test_every_member_of_the_default_policy_is_in_the_reference():
    document = default_policy_document()
    rules = document["rules"]
    assert isinstance(rules, list)
    members = set(document) | {member for rule in rules for member in rule}
    assert [member for member in sorted(members) if f"`{member}`" not in page("reference/policy.md")] == []


def commands(group: TyperGroup, prefix: str = "holdfire") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


def test_every_command_is_in_the_reference_and_none_that_is_not_there():
    root = get_command(cli)
    assert isinstance(root, TyperGroup)
    named = {
        " ".join(word for word in row.split() if not word.isupper())
        for row in re.findall(r"^\| `(holdfire [^`]+)` \|", page("reference/cli.md"), re.MULTILINE)
    }
    assert named == set(commands(root))


def test_every_endpoint_is_in_the_reference():
    documented = set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", page("reference/http-api.md"), re.MULTILINE))
    methods = {"get", "post", "put", "patch", "delete"}
    served = {
        f"{method.upper()} {path}"
        for path, operations in create_app(Settings()).openapi()["paths"].items()
        for method in operations
        if method in methods
    }
    beside = {"WS /api/v1/live", "GET /metrics"}  # OpenAPI knows no sockets, and Prometheus needs no OpenAPI
    assert documented - beside == served


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(path):
    for found in LINK.finditer(FENCED.sub("", path.read_text(encoding="utf-8"))):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), f"{found[0]} leads nowhere"
        assert not anchor or anchor in anchors(linked), f"{found[0]}: there is no such heading"


@pytest.mark.parametrize("record", sorted((DOCS / "adr").glob("0*.md")), ids=lambda path: path.stem)
def test_every_decision_record_is_listed_and_complete(record):
    assert f"]({record.name})" in page("adr/README.md")
    text = record.read_text(encoding="utf-8")
    for part in ("Context", "Decision", "Consequences", "Alternatives", "Kept by"):
        assert f"**{part}.**" in text


def test_no_tracked_file_names_a_package_registry_or_a_path_of_one_machine():
    hosts = ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb." + "debian.org")
    paths = re.compile(r"(?:^|[^\w.-])/(?:wo" + r"rk|fa" + r"rm)/|/tmp/bash" + r"_jobs|/home/\w+/|/root/\.")
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        assert not [host for host in hosts if host in text], path
        assert not paths.search(text), path


def test_locks_carry_hashes_and_the_run_lock_is_part_of_the_dev_lock():
    def pins(name: str) -> set[str]:
        text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
        found = re.findall(r"^([\w.-]+==\S+)((?:.*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
        assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE))
        return {pin for pin, _ in found}

    assert pins("run.txt") <= pins("dev.txt")
    assert pins("build.txt")
    assert pins("mailman.txt")
