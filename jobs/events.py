"""Events out: what a seller sets, and how what happened is numbered and handed out to their endpoints."""

import asyncio
import base64
import json
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub import delivery
from hub import events as decide
from hub.events import KINDS, STOCK, TEST
from hub.faults import ChannelError
from hub.gate import PrivateAddress
from hub.store import Tx, alerts, endpoints, events, stock
from jobs.runtime import Runtime, log

DISABLED = "endpoint_disabled"  # alert
MOST = 20  # endpoints of a seller
BATCH = 500
REPLAYED = 10_000  # failed deliveries begun again at once
LONGEST_DESCRIPTION = 120

REFUSALS = {
    "address": "url: that is no address: give one like https://erp.loja.com.br/eventos",
    "https": "url: events travel over https: give an address that begins with https://",
    "login": "url: leave user and password out of the address: the signature says who sends",
    "private": "url: %(why)s",
    "kinds": "kinds: there is no event %(event)s; there are: %(known)s",
    "nothing": "kinds: choose at least one event, or all of them",
    "many": "there are %(most)s endpoints already: remove one first",
    "gone": "there is no such endpoint",
    "no_delivery": "there is no such delivery, or it is being sent right now",
    "disabled": "this endpoint is disabled: enable it first",
}


class EventRefused(Exception):
    """What was asked for cannot be done: `kind` is one of REFUSALS, to be filled with `params`."""

    def __init__(self, kind: str, **params: object) -> None:
        super().__init__(REFUSALS[kind] % params)
        self.kind, self.params = kind, params


def new_secret() -> str:
    """A secret as the standard writes them: 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """An endpoint and its secret, which is shown this once."""

    id: UUID
    secret: str


async def add(rt: Runtime, seller_id: UUID, url: str, kinds: Collection[str] | None, description: str = "") -> Made:
    """A new endpoint that is told of these kinds (None: all) from now on. EventRefused names the field."""
    url, wanted, description = await _checked(rt, url, kinds, description)
    secret = new_secret()
    async with rt.db.seller(seller_id) as tx:
        if len(await endpoints.every(tx)) >= MOST:
            raise EventRefused("many", most=MOST)
        made = await endpoints.add(tx, url, wanted, description, _sealed(rt, secret))
        await stock.audit(tx, "endpoint_add", str(made), host=decide.host_of(url), kinds=wanted or "all")
    return Made(made, secret)


async def edit(
    rt: Runtime, seller_id: UUID, endpoint_id: UUID, url: str, kinds: Collection[str] | None, description: str = ""
) -> None:
    """Another address, choice or description; the secret stays."""
    await change(rt, seller_id, endpoint_id, {"url": url, "kinds": kinds, "description": description})


async def change(
    rt: Runtime, seller_id: UUID, endpoint_id: UUID, told: Mapping[str, Any], *, on: bool | None = None
) -> None:
    """What is told of url, kinds and description, and whether events are sent there (`switch`): all of it or nothing.

    The address is looked up before the transaction begins; what is not told stays as it is by then.
    """
    if told:
        async with rt.db.seller(seller_id) as tx:
            known = await endpoints.one(tx, endpoint_id)
        if known is None:
            raise EventRefused("gone")
        every = {name: told.get(name, known[name]) for name in ("url", "kinds", "description")}
        url, kinds, description = await _checked(rt, **every)
        told = {name: {"url": url, "kinds": kinds, "description": description}[name] for name in told}
    async with rt.db.seller(seller_id) as tx:
        if told:
            now = await endpoints.locked(tx, endpoint_id)
            if now is None:
                raise EventRefused("gone")
            now |= told
            await endpoints.edit(tx, endpoint_id, now["url"], now["kinds"], now["description"])
            words = {"host": decide.host_of(now["url"]), "kinds": now["kinds"] or "all"}
            await stock.audit(tx, "endpoint_edit", str(endpoint_id), **words)
        if on is not None:
            await _switch(rt, tx, endpoint_id, on=on)


async def switch(rt: Runtime, seller_id: UUID, endpoint_id: UUID, *, on: bool) -> bool:
    """Send there again, or no more: what waits then has failed, and can be sent again. False: it was so already."""
    async with rt.db.seller(seller_id) as tx:
        return await _switch(rt, tx, endpoint_id, on=on)


async def _switch(rt: Runtime, tx: Tx, endpoint_id: UUID, *, on: bool) -> bool:
    if await endpoints.one(tx, endpoint_id) is None:
        raise EventRefused("gone")
    if on:
        done = await endpoints.enable(tx, endpoint_id)
        await alerts.resolve(tx, DISABLED, str(endpoint_id))
    else:
        done = await endpoints.disable(tx, endpoint_id, "person", rt.now())
    if done:
        await stock.audit(tx, "endpoint_enable" if on else "endpoint_disable", str(endpoint_id))
    return done


async def rotate(rt: Runtime, seller_id: UUID, endpoint_id: UUID) -> Made:
    """A new secret; for a day the one before signs too."""
    secret = new_secret()
    async with rt.db.seller(seller_id) as tx:
        if not await endpoints.rotate(tx, endpoint_id, _sealed(rt, secret), rt.now() + decide.ROTATION):
            raise EventRefused("gone")
        await stock.audit(tx, "endpoint_rotate", str(endpoint_id))
    return Made(endpoint_id, secret)


async def remove(rt: Runtime, seller_id: UUID, endpoint_id: UUID) -> None:
    """Take an endpoint away with its log."""
    async with rt.db.seller(seller_id) as tx:
        if not await endpoints.remove(tx, endpoint_id):
            raise EventRefused("gone")
        await alerts.resolve(tx, DISABLED, str(endpoint_id))
        await stock.audit(tx, "endpoint_remove", str(endpoint_id))


async def _checked(
    rt: Runtime, url: str, kinds: Collection[str] | None, description: str
) -> tuple[str, list[str] | None, str]:
    url = url.strip().partition("#")[0]
    if problem := decide.address_problem(url):
        raise EventRefused(problem)
    if kinds is not None:
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise EventRefused("kinds", event=unknown[0], known=", ".join(KINDS))
        if not kinds:
            raise EventRefused("nothing")
    await _refuse_private(rt, url)
    wanted = None if kinds is None else [kind for kind in KINDS if kind in set(kinds)]
    return url, wanted, " ".join(description.split())[:LONGEST_DESCRIPTION]


async def _refuse_private(rt: Runtime, url: str) -> None:
    """A private address is named while it is typed; each request looks again. A name that is not known yet may come."""
    host = decide.host_of(url)
    try:
        delivery.check(rt.http, url)
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        for _family, _type, _protocol, _name, address in found:
            rt.http.gate.check(host, str(address[0]).partition("%")[0])
    except ChannelError as problem:
        raise EventRefused("private", why=problem.detail) from None
    except PrivateAddress as problem:
        raise EventRefused("private", why=str(problem)) from None
    except (OSError, UnicodeError):
        return


def _sealed(rt: Runtime, secret: str) -> bytes:
    return rt.vault.seal({"secret": secret})


# ── numbering and handing out ───────────────────────────────────────────────────────────────────────────────


async def sort(rt: Runtime, seller_id: UUID) -> int:
    """Number what happened, one at a time per seller, and have it sent to whoever takes it. Answers how many events.

    One that cannot be told is a fault of ours: it is logged and told with what is certain, so that it holds up none.
    """
    async with rt.db.seller(seller_id) as tx:
        last = await events.turn(tx)
        if last is None:
            return 0
        for moved in await events.moved_skus(tx, rt.now(), BATCH):
            facts = {"sku_id": str(moved.sku_id), "sku": moved.sku, "available": moved.available}
            await events.add(tx, STOCK, str(moved.sku_id), json.dumps(facts))
        found = await events.pending(tx, BATCH)
        if not found:
            return 0
        told = await events.names(tx, found)
        numbered = [
            (event.id, last + n, _body(event, {**facts, "version": last + n}))
            for n, (event, facts) in enumerate(zip(found, told, strict=True), start=1)
        ]
        await events.number(tx, numbered)
        await events.hand_out(tx, found, rt.now())
    return len(found)


def _body(event: events.Pending, facts: dict[str, object]) -> str:
    try:
        return decide.body_of(event.kind, event.at, facts)
    except ValueError:
        log.exception("an event that does not fit its model", kind=event.kind, message=decide.message_id(event.id))
        bare = {"type": event.kind, "timestamp": event.at.isoformat(), "data": {"version": facts["version"]}}
        return json.dumps(bare)


async def test(rt: Runtime, seller_id: UUID, endpoint_id: UUID) -> UUID:
    """Have a test event sent to one endpoint. Answers its delivery."""
    async with rt.db.seller(seller_id) as tx:
        await _active(tx, endpoint_id)
        event_id = await events.add(tx, TEST, str(endpoint_id), json.dumps({"endpoint_id": str(endpoint_id)}))
    while not (made := await _delivery_of(rt, seller_id, event_id)):
        if not await sort(rt, seller_id):
            await asyncio.sleep(0.05)  # another is numbering
    return made


async def _delivery_of(rt: Runtime, seller_id: UUID, event_id: UUID) -> UUID | None:
    async with rt.db.seller(seller_id) as tx:
        return await endpoints.delivery_of(tx, event_id)


async def _active(tx: Tx, endpoint_id: UUID) -> None:
    row = await endpoints.one(tx, endpoint_id)
    if row is None:
        raise EventRefused("gone")
    if row["disabled_at"] is not None:
        raise EventRefused("disabled")


# ── replay ──────────────────────────────────────────────────────────────────────────────────────────────────


async def replay(rt: Runtime, seller_id: UUID, delivery_id: UUID) -> None:
    """Send one delivery again, with the same id and body, as if for the first time."""
    async with rt.db.seller(seller_id) as tx:
        row = await endpoints.delivery(tx, delivery_id)
        if row is None:
            raise EventRefused("no_delivery")
        await _active(tx, row["endpoint_id"])
        if not await endpoints.replay(tx, delivery_id, rt.now()):
            raise EventRefused("no_delivery")
        await stock.audit(tx, "event_replay", str(delivery_id), event=row["kind"])


async def replay_failed(rt: Runtime, seller_id: UUID, endpoint_id: UUID, since: datetime) -> int:
    """Send again what failed since then, up to REPLAYED. Answers how many."""
    async with rt.db.seller(seller_id) as tx:
        await _active(tx, endpoint_id)
        count = await endpoints.replay_failed(tx, endpoint_id, since, rt.now(), REPLAYED)
        if count:
            await stock.audit(tx, "event_replay", str(endpoint_id), count=count, since=since)
    return count


def kinds_of(told: Sequence[str]) -> list[str] | None:
    """What `--event` and forms say: nothing is all."""
    return list(dict.fromkeys(told)) or None
