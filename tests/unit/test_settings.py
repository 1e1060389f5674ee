"""Settings: defaults that work, names that are documented, one sentence for what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, load, table, variable_of
from jobs.install import mail_server


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)


def test_nothing_needs_to_be_set():
    told = load()
    assert (told.database_url, told.redis_url, told.public_url, told.secret_keys) == (None, None, None, None)
    assert told.home == Path(".balcao")
    assert (told.host, told.port, told.workers, told.shards) == ("127.0.0.1", 8080, 3, 2)
    assert (told.log_format, told.log_level, told.inbox_days) == ("console", "info", 30)
    assert (told.hold_from, told.zero_brake_share, told.body_limit) == ("placed", 0.3, 1_048_576)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch):
    for name in Settings.model_fields:
        monkeypatch.setenv(variable_of(name), "")
    assert load() == Settings()


def test_what_is_set_is_taken(monkeypatch: pytest.MonkeyPatch):
    for name, given in {
        "DATABASE_URL": "postgresql://u:p@h/d",
        "REDIS_URL": "unix:///tmp/s?db=0",
        "BALCAO_HOME": "~/b",
        "BALCAO_PUBLIC_URL": "https://b.example/hub/",
        "BALCAO_LOG_LEVEL": "DEBUG",
        "BALCAO_BODY_LIMIT": "2MiB",
        "BALCAO_ALLOW_PRIVATE_HOSTS": "loja.local, 10.0.0.0/8, *",
    }.items():
        monkeypatch.setenv(name, given)
    told = load()
    assert (told.database_url, told.redis_url) == ("postgresql://u:p@h/d", "unix:///tmp/s?db=0")
    assert told.home == Path.home() / "b"
    assert (told.public_url, told.log_level, told.body_limit) == ("https://b.example/hub", "debug", 2 * 2**20)
    assert told.allow_private_hosts == "loja.local, 10.0.0.0/8, *"


def test_polling_is_faster_where_no_webhook_can_come(monkeypatch: pytest.MonkeyPatch):
    assert load().poll_every == 15
    monkeypatch.setenv("BALCAO_PUBLIC_URL", "https://b.example")
    assert load().poll_every == 60
    monkeypatch.setenv("BALCAO_POLL_SECONDS", "7")
    assert load().poll_every == 7


WRONG = {
    "DATABASE_URL": "mysql://u:hunter2@h/d",
    "REDIS_URL": "hunter2",
    "BALCAO_PUBLIC_URL": "b.example",
    "BALCAO_ALLOW_PRIVATE_HOSTS": "http://x",
    "BALCAO_PORT": "0",
    "BALCAO_WORKERS": "many",
    "BALCAO_SHARDS": "0",
    "BALCAO_LOG_FORMAT": "xml",
    "BALCAO_LOG_LEVEL": "loud",
    "BALCAO_INBOX_DAYS": "-1",
    "BALCAO_HOLD_FROM": "shipped",
    "BALCAO_ZERO_BRAKE_SHARE": "30",
    "BALCAO_BODY_LIMIT": "big",
    "BALCAO_POLL_SECONDS": "0",
    "BALCAO_RECONCILE_HOURS": "0",
    "BALCAO_SMTP_URL": "smtp://u:hunter2@",
    "BALCAO_MAIL_FROM": "Loja",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_one_sentence_with_the_way_out(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, WRONG[name])
    with pytest.raises(SettingsError) as refusal:
        load()
    told = str(refusal.value)
    assert told.startswith(name + " ")
    assert "give " in told
    assert "unset it" in told
    assert "\n" not in told
    assert "hunter2" not in told
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize(
    "told",
    ["mail.example.com", "https://h", "smtp://h:x", "smtp://h:99999", "smtp://:hunter2@h", "smtp://h/x", "smtp://h h"],
)
def test_what_is_no_mail_server(monkeypatch: pytest.MonkeyPatch, told: str):
    monkeypatch.setenv("BALCAO_SMTP_URL", told)
    with pytest.raises(SettingsError, match="give an address like smtp://user:password@host:587"):
        load()


@pytest.mark.parametrize("told", ["a@b", "a b@c.de", "Loja <x>", "a@b.c, d@e.f", "a@b.c\nBcc: d@e.f", "@b.c"])
def test_what_nobody_sends_from(monkeypatch: pytest.MonkeyPatch, told: str):
    monkeypatch.setenv("BALCAO_MAIL_FROM", told)
    with pytest.raises(SettingsError, match="give an address like pedidos@loja"):
        load()


def test_a_mail_server_needs_a_sender(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BALCAO_SMTP_URL", "smtps://u:hunter2@mail.example.com")
    with pytest.raises(SettingsError, match=r"BALCAO_MAIL_FROM is not set, and BALCAO_SMTP_URL is: give "):
        mail_server(load())
    monkeypatch.setenv("BALCAO_MAIL_FROM", "Loja <pedidos@loja.com.br>")
    server = mail_server(load())
    assert server is not None
    assert (server.host, server.port, server.tls, server.user) == ("mail.example.com", 465, True, "u")
    assert server.address == "pedidos@loja.com.br"
    assert "hunter2" not in repr(server) + repr(load())


def test_secrets_are_not_in_the_repr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BALCAO_SECRET_KEYS", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(load())


def test_every_setting_is_described_and_in_the_table():
    told = subprocess.run([sys.executable, "-m", "config.settings"], capture_output=True, text=True, check=True)
    assert told.stdout == table()
    for name, about in Settings.model_fields.items():
        assert about.description
        assert f"| `{variable_of(name)}` |" in told.stdout
