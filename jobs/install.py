"""An installation as the environment describes it: its services, its keys and its policy, ready for a Runtime."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config import settings as environment
from config.settings import Settings, SettingsError
from hub import embedded
from hub.model import Status
from hub.secrets import Vault, load_keys
from hub.smtp import Server, server_of
from hub.store import StoreError, schema
from hub.store.pulse import Pulse
from jobs.runtime import Policy, Runtime, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where everything is. `owned`: the embedded servers were started by this process."""

    settings: Settings
    database_url: str
    redis_url: str
    home: Path
    vault: Vault
    owned: bool = False


def home_folder() -> Path:
    """The folder that BALCAO_HOME names, absolute."""
    return environment.load().home.resolve()


def prepare(*, migrate: bool = True) -> Installation:
    """Read the environment, start what is embedded, check (or bring up to date) the schema.

    Raises SettingsError, EmbeddedError, StoreError or SecretsError, each one sentence for a person.
    """
    settings = environment.load()
    home = home_folder()
    owned = False
    database_url, redis_url = settings.database_url, settings.redis_url
    if database_url is None or redis_url is None:
        services = embedded.start(home)
        owned = services.owned
        database_url, redis_url = database_url or services.database_url, redis_url or services.redis_url
    home.mkdir(parents=True, exist_ok=True)
    vault = Vault(load_keys(settings.secret_keys, home))
    mail_server(settings)
    if migrate:
        schema.migrate(database_url)
    schema.refuse_bypass(database_url)
    return Installation(
        settings=settings, database_url=database_url, redis_url=redis_url, home=home, vault=vault, owned=owned
    )


def policy(settings: Settings) -> Policy:
    """The settings that flows read."""
    return Policy(
        hold_from=Status(settings.hold_from),
        zero_brake_share=settings.zero_brake_share,
        poll_seconds=float(settings.poll_every),
        reconcile_seconds=settings.reconcile_hours * 3600,
        inbox_days=settings.inbox_days,
        not_found_days=settings.not_found_days,
        public_url=settings.public_url,
        api_per_minute=settings.api_per_minute,
        smtp=mail_server(settings),
    )


def mail_server(settings: Settings) -> Server | None:
    """Where e-mail leaves from; None where none is set. SettingsError when only half of it is."""
    if settings.smtp_url is None:
        return None
    if settings.mail_from is None:
        raise SettingsError(
            "BALCAO_MAIL_FROM is not set, and BALCAO_SMTP_URL is: give the address that e-mail comes from, "
            "like Loja <pedidos@loja.com.br>."
        )
    return server_of(settings.smtp_url, settings.mail_from)


@asynccontextmanager
async def runtime(installation: Installation, *, pool: int = 10) -> AsyncIterator[tuple[Runtime, Pulse]]:
    """A Runtime of this installation, with its worker number and the locks that show it is alive."""
    settings = installation.settings
    worker = secrets.randbelow(2**31 - 1) + 1
    async with (
        Pulse(installation.database_url, worker) as pulse,
        running(
            database_url=installation.database_url, redis_url=installation.redis_url, vault=installation.vault,
            policy=policy(settings), allow_private=settings.allow_private_hosts, shards=settings.shards,
            workers=settings.workers, worker=worker, pool=pool,
        ) as rt,
    ):  # fmt: skip
        yield rt, pulse


TROUBLES = (SettingsError, StoreError, embedded.EmbeddedError, psycopg.OperationalError)
