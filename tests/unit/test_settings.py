"""Where settings come from, and what is said about bad ones."""

from pathlib import Path

import pytest

from app.errors import Invalid
from app.settings import Settings, is_loopback, load_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_flags_win_over_environment_over_file_over_default(tmp_path):
    (tmp_path / "holdfire.toml").write_text('host = "127.0.0.2"\nport = 1\nlog_level = "debug"\n')
    settings = load_settings({"port": 3, "host": None}, {"HOLDFIRE_PORT": "2", "HOLDFIRE_LOG_LEVEL": "error"})
    assert (settings.host, settings.port, settings.log_level, settings.log_format) == ("127.0.0.2", 3, "error", "auto")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HOLDFIRE_PORT", "eighty", "HOLDFIRE_PORT='eighty'"),
        ("HOLDFIRE_PORT", "70000", "less than or equal to 65535"),
        ("HOLDFIRE_AUTH", "maybe", "'on' or 'off'"),
        ("HOLDFIRE_STREAM_URL", "kafka://there", "HOLDFIRE_STREAM_URL='kafka://there'"),
        ("HOLDFIRE_STREAM_URL", "nats://there/a.b", "must be nats://[user:password@]host"),
        ("HOLDFIRE_STREAM_URL", "nats://there:port", "a host or port cannot be read"),
        ("HOLDFIRE_STREAM_HOURS", "1", "greater than or equal to 26"),
        ("HOLDFIRE_RETENTION_RAW_DAYS", "0", "greater than or equal to 1"),
        ("HOLDFIRE_CONTACTS_EXPIRE_AFTER_SECONDS", "nan", "HOLDFIRE_CONTACTS_EXPIRE_AFTER_SECONDS"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_what_is_allowed(variable, value, said):
    with pytest.raises(Invalid) as refused:
        load_settings(environ={variable: value})
    assert variable in str(refused.value)
    assert said in str(refused.value)


def test_an_unknown_name_in_the_file_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "holdfire.toml").write_text("prot = 8000\n")
    with pytest.raises(Invalid, match=r"prot in holdfire.toml=8000 is not a setting; known are .*port"):
        load_settings(environ={})


def test_auth_off_is_refused_beyond_loopback():
    with pytest.raises(Invalid, match=r"HOLDFIRE_AUTH=off only binds to a loopback address, not HOLDFIRE_HOST=0.0.0.0"):
        load_settings(environ={"HOLDFIRE_AUTH": "off", "HOLDFIRE_HOST": "0.0.0.0"})  # noqa: S104 - the refused value
    assert load_settings(environ={"HOLDFIRE_AUTH": "off", "HOLDFIRE_HOST": "::1"}).auth == "off"


def test_a_secret_may_come_from_a_file_but_not_from_both(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("sqlite:////data/x.db\n")
    assert load_settings(environ={"HOLDFIRE_DATABASE_URL_FILE": str(secret)}).database_url == "sqlite:////data/x.db"
    with pytest.raises(Invalid, match="both set"):
        load_settings(environ={"HOLDFIRE_DATABASE_URL_FILE": str(secret), "HOLDFIRE_DATABASE_URL": "sqlite:///y"})
    with pytest.raises(Invalid, match="cannot be read"):
        load_settings(environ={"HOLDFIRE_DATABASE_URL_FILE": str(tmp_path / "absent")})


def test_a_named_but_absent_config_file_stops_the_start(tmp_path):
    with pytest.raises(Invalid, match="cannot be read as TOML"):
        load_settings(environ={"HOLDFIRE_CONFIG": str(tmp_path / "absent.toml")})


def test_the_database_lives_in_the_data_folder_unless_said_otherwise():
    assert Settings(data_dir=Path("/data")).resolved_database_url == "sqlite:////data/holdfire.db"
    assert Settings(database_url="sqlite:///x.db").resolved_database_url == "sqlite:///x.db"


def test_origins_are_a_comma_separated_list():
    settings = load_settings(environ={"HOLDFIRE_ALLOWED_ORIGINS": "https://a.example, https://b.example,"})
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


def test_networks_that_webhooks_may_go_to_are_a_comma_separated_list():
    settings = load_settings(environ={"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "10.1.0.0/16, ::1,hooks.intranet.example"})
    assert settings.webhook_allowed_networks == ("10.1.0.0/16", "::1", "hooks.intranet.example")


def test_a_network_that_cannot_be_read_stops_the_start_and_names_the_variable():
    with pytest.raises(Invalid, match=r"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS=.*10\.1\.0\.0/40"):
        load_settings(environ={"HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS": "10.1.0.0/40"})


@pytest.mark.parametrize(("host", "local"), [("localhost", True), ("127.3.2.1", True), ("::1", True), ("::", False)])
def test_loopback_is_recognised(host, local):
    assert is_loopback(host) is local
