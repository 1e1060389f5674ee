"""Where a command works: the installation made ready, and the seller and accounts that were named."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from hub.store.accounts import Account
    from jobs.install import Installation
    from jobs.runtime import Runtime

Seller = Annotated[
    str | None,
    typer.Option("--seller", envvar="BALCAO_SELLER", help="Which seller, by name or id; one alone is implied."),
]
NamedAccount = Annotated[
    str | None, typer.Option("--account", help="One account, by id, name or channel; all when not given.")
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """A runtime and the seller that a command works for."""

    rt: "Runtime"
    seller_id: UUID
    seller: str

    def tx(self) -> Any:
        """A transaction of this seller: an async context manager of Tx."""
        return self.rt.db.seller(self.seller_id)

    async def accounts(self) -> "list[Account]":
        """The seller's accounts that are not closed."""
        from hub.store import accounts

        async with self.tx() as tx:
            return [account for account in await accounts.every(tx) if account.status != "closed"]

    async def account(self, named: str) -> "Account":
        """The one account of that id, name or channel; Wrong when there is none, or more than one."""
        every = await self.accounts()
        wanted = named.strip().casefold()
        for told in (lambda a: str(a.id), lambda a: a.name.casefold(), lambda a: a.channel):
            found = [account for account in every if told(account) == wanted]
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(f"{account.id} ({account.channel}, {account.name})" for account in found)
                raise Wrong(f"{len(found)} accounts answer to {named!r}: name one by its id: {ids}.")
        if not every:
            raise Wrong(f"{self.seller} has no account yet: connect one with `balcao account add CHANNEL`.")
        known = ", ".join(f"{account.name} ({account.channel})" for account in every)
        raise Wrong(f"there is no account {named!r}; there are: {known}.")

    async def chosen(self, named: str | None) -> "list[Account]":
        """The named account, or every one."""
        return [await self.account(named)] if named else await self.accounts()


def installation() -> "Installation":
    """The installation, started where it is embedded; a database of one's own is migrated by hand.

    Logs go to stderr, and only what is critical unless BALCAO_LOG_LEVEL=debug: a command says by itself what
    went wrong.
    """
    from config import settings as environment
    from config.logging import setup
    from hub.redaction import redact_event
    from jobs.install import prepare

    told = environment.load()
    level = "debug" if told.log_level == "debug" else "critical"
    setup(told.log_format, level, redaction=redact_event)
    return prepare(migrate=told.database_url is None)


def serve(work: "Callable[[Runtime], Awaitable[T]]") -> T:
    """Do the work with a Runtime of this installation."""

    async def run() -> T:
        from jobs.install import runtime

        async with runtime(made, pool=4) as (rt, _pulse):
            return await work(rt)

    made = installation()
    return asyncio.run(run())


def at_desk(seller: str | None, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Do the work for one seller, in the name of whoever is signed in to this machine."""
    from hub.context import acting_as

    async def run(rt: "Runtime") -> T:
        seller_id, name = await choose_seller(rt, seller)
        with acting_as(f"cli:{_operator()}"):
            return await work(Desk(rt, seller_id, name))

    return serve(run)


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return str(os.getuid())


async def choose_seller(rt: "Runtime", named: str | None) -> tuple[UUID, str]:
    """The seller of that name or id; the only one where none is named."""
    from hub.store import people

    async with rt.db.dispatch() as tx:
        every = [(row["seller_id"], row["name"]) for row in await people.sellers(tx)]
    if not every:
        raise Wrong("there is no seller yet: make one with `balcao seller add NAME`.")
    names = ", ".join(name for _id, name in every)
    if named is None:
        if len(every) > 1:
            raise Wrong(f"there are {len(every)} sellers ({names}): choose one with --seller.")
        return every[0]
    wanted = named.strip().casefold()
    found = [(id_, name) for id_, name in every if wanted in {str(id_), name.casefold()}]
    if not found:
        raise Wrong(f"there is no seller {named!r}; there are: {names}.")
    if len(found) > 1:
        ids = ", ".join(str(id_) for id_, _name in found)
        raise Wrong(f"{len(found)} sellers are called {named!r}: choose one by its id with --seller: {ids}.")
    return found[0]
