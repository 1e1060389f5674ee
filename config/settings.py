"""What an installation can be told by its environment. `python -m config.settings` prints the table."""

import ipaddress
import sys
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BALCAO_"


class SettingsError(Exception):
    """A variable that cannot be used; the message is one sentence that names it and the way out."""


def _web_address(told: str) -> str:
    scheme, _, rest = told.partition("://")
    if scheme.lower() not in {"http", "https"} or not rest.strip("/") or "?" in rest or "#" in rest or " " in rest:
        raise ValueError
    return told.rstrip("/")


def _one_of(*schemes: str) -> AfterValidator:
    def check(told: str) -> str:
        if not told.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError
        return told

    return AfterValidator(check)


def _mail_server(told: str) -> str:
    parts = urlsplit(told)
    named = parts.scheme.lower() in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    if not named or parts.path.strip("/") or parts.query or parts.fragment or " " in told:
        raise ValueError
    if parts.password and not parts.username:
        raise ValueError
    return told


def _sender(told: str) -> str:
    name, address = parseaddr(told)
    local, _, domain = address.partition("@")
    good = (
        local
        and "." in domain
        and "@" not in domain
        and address.isascii()
        and " " not in address
        and told.isprintable()
    )
    if not good or (told.strip() != address and not name):
        raise ValueError
    return told.strip()


def _hosts(told: str) -> str:
    for entry in filter(None, (part.strip() for part in told.split(","))):
        if "://" in entry or " " in entry:
            raise ValueError
        if "/" in entry:
            ipaddress.ip_network(entry, strict=False)
    return told


def _long_enough(told: str) -> str:
    if len(told) < 16 or any(char.isspace() for char in told):  # noqa: PLR2004 - a guess a second takes for ever
        raise ValueError
    return told


_lower = BeforeValidator(lambda told: told.lower() if isinstance(told, str) else told)


def _told(default: Any, description: str, give: str, **limits: Any) -> Any:
    """A setting: `give` says what is wanted, in the sentence that refuses another value."""
    return Field(default, description=description, json_schema_extra={"give": give}, **limits)


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[str, _one_of("postgresql", "postgres")] | None = _told(
        None,
        "PostgreSQL 15 or newer. Not set: an embedded PostgreSQL is started under BALCAO_HOME.",
        "an address like postgresql://user:password@host/database",
        validation_alias="DATABASE_URL",
        repr=False,
    )
    redis_url: Annotated[str, _one_of("redis", "rediss", "unix")] | None = _told(
        None,
        "Redis or Valkey. Not set: an embedded Valkey is started under BALCAO_HOME.",
        "an address like redis://host:6379/0, rediss://… or unix:///path",
        validation_alias="REDIS_URL",
        repr=False,
    )
    home: Annotated[Path, AfterValidator(Path.expanduser)] = _told(
        Path(".balcao"),
        "Folder of what is kept outside of databases: the key file, the embedded servers' files.",
        "the path of a folder",
    )
    public_url: Annotated[str, AfterValidator(_web_address)] | None = _told(
        None,
        "Where channels reach this installation. Not set: no webhooks, polled more often instead.",
        "an address like https://balcao.example.com.br",
    )
    secret_keys: str | None = _told(
        None,
        "Keys that seal credentials, separated by commas: the first seals, all open. "
        "Not set: a key file is made in BALCAO_HOME. `python -m hub.secrets` makes a key.",
        "keys made with `python -m hub.secrets`, separated by commas",
        repr=False,
    )
    allow_private_hosts: Annotated[str, AfterValidator(_hosts)] = _told(
        "",
        "Hosts, addresses and networks inside your own network that may be called, or `*` for all. "
        "Not set: only public addresses are called.",
        "a list like loja.local, 10.0.0.0/8",
    )
    host: str = _told("127.0.0.1", "Address that the web server listens on.", "an address like 127.0.0.1")
    port: int = _told(8080, "Port that the web server listens on.", "a number from 1 to 65535", ge=1, le=65_535)
    workers: int = _told(3, "Worker processes.", "a whole number from 1 to 256", ge=1, le=256)
    shards: int = _told(
        2, "Groups that accounts are divided into; each lane of each is drained by itself.",
        "a whole number from 1 to 256", ge=1, le=256,
    )  # fmt: skip
    log_format: Annotated[Literal["console", "json"], _lower] = _told(
        "console", "How log lines look: for people, or for programs.", "console or json"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _lower] = _told(
        "info", "The least that is logged.", "debug, info, warning or error"
    )
    inbox_days: int = _told(
        30, "Days that raw notices and documents are kept once they are worked.",
        "a whole number from 1 to 3650", ge=1, le=3650,
    )  # fmt: skip
    not_found_days: int = _told(
        3, "Days that a carrier may not know a parcel before a person is told; before the first scan that is normal.",
        "a whole number from 1 to 60", ge=1, le=60,
    )  # fmt: skip
    hold_from: Annotated[Literal["placed", "paid"], _lower] = _told(
        "placed", "From when on an order holds stock.", "placed or paid"
    )
    zero_brake_share: float = _told(
        0.3, "A run that would set more than this share of an account's listings to zero stops and asks.",
        "a number from 0 to 1, like 0.3", ge=0, le=1,
    )  # fmt: skip
    body_limit: ByteSize = _told(
        ByteSize(2**20), "Longest body that the web server accepts.", "a size like 1MiB or 1048576", ge=1024
    )
    api_per_minute: int = _told(
        600, "Requests a minute of one API key; unspent ones are kept, up to a minute's.",
        "a whole number from 1 to 1000000", ge=1, le=1_000_000,
    )  # fmt: skip
    metrics_token: Annotated[str, AfterValidator(_long_enough)] | None = _told(
        None,
        "Who shows it as a bearer token may read /metrics. Not set: only this very machine may, unproxied.",
        "16 characters or more, without spaces",
        repr=False,
    )
    smtp_url: Annotated[str, AfterValidator(_mail_server)] | None = _told(
        None,
        "Server that buyers' e-mail leaves by: smtp:// turns to TLS where offered, smtps:// begins with it. "
        "Not set: no e-mail.",
        "an address like smtp://user:password@host:587 or smtps://user:password@host",
        repr=False,
    )
    mail_from: Annotated[str, AfterValidator(_sender)] | None = _told(
        None,
        "Who buyers' e-mail comes from; needed with BALCAO_SMTP_URL.",
        "an address like pedidos@loja.com.br or Loja <pedidos@loja.com.br>",
    )
    poll_seconds: int | None = _told(
        None,
        "Seconds between two polls of an account. Not set: 60 with BALCAO_PUBLIC_URL, 15 without.",
        "a whole number from 1 to 86400", ge=1, le=86_400,
    )  # fmt: skip
    reconcile_hours: float = _told(
        6, "Hours between two comparisons of every listing with what the channel shows.",
        "a number of hours, like 6", gt=0, le=720,
    )  # fmt: skip

    @property
    def poll_every(self) -> int:
        """Seconds between two polls of an account, as it follows from the settings."""
        return self.poll_seconds or (60 if self.public_url else 15)


def load() -> Settings:
    """The settings of this environment. SettingsError for the first value that cannot be used."""
    try:
        return Settings()
    except ValidationError as problem:
        raise SettingsError(_sentence(problem)) from None


def variable_of(name: str) -> str:
    """The environment variable of a field."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def _sentence(problem: ValidationError) -> str:
    first = problem.errors(include_url=False)[0]
    where = str(first["loc"][0])
    for name, about in Settings.model_fields.items():
        if where in {name, variable_of(name)}:
            away = "nothing" if about.default in {None, ""} else _shown(about.default)
            seen = f" is {first['input']!r}, which" if about.repr else ""  # an address may hold a password
            wanted = f"give {_give(about)}, or unset it for the default ({away})"
            return f"{variable_of(name)}{seen} cannot be used: {wanted}."
    return f"{where} cannot be used."


def _give(about: FieldInfo) -> str:
    extra = about.json_schema_extra
    return str(extra["give"]) if isinstance(extra, dict) else "another value"


def _shown(default: object) -> str:
    return default.human_readable() if isinstance(default, ByteSize) else str(default)


def table() -> str:
    """The settings as a page of Markdown."""
    rows = ["| variable | default | what it does | give |", "|---|---|---|---|"]
    for name, about in Settings.model_fields.items():
        default = "" if about.default in {None, ""} else f"`{_shown(about.default)}`"
        rows.append(f"| `{variable_of(name)}` | {default} | {about.description} | {_give(about)} |")
    head = "# Configuration\n\nEnvironment variables; none is needed. Made by `python -m config.settings`.\n\n"
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
