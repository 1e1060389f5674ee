"""Buyers' e-mail: wanted in the transaction that learns the news, sent afterwards, at most once: docs/adr/0017."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from babel import dates

from hub import buyer_mail as decide
from hub import deadlines, parcel_link
from hub.buyer_mail import Template, Wish, Words
from hub.context import working_for
from hub.model import TrackingStatus
from hub.smtp import InDoubt, Line, Refused, Server, Unreachable, line
from hub.store import Tx, accounts, alerts, mails, orders, stock
from hub.store import deadlines as stored
from hub.store.accounts import Account
from hub.store.mails import Due
from jobs import connect
from jobs.runtime import Runtime, log

BATCH = 20
LONGEST_WAIT = decide.NEWS_LASTS
DOWN, DOUBT = "mail_down", "mail_doubt"  # alerts


async def want(tx: Tx, row: dict[str, Any], shipping: dict[str, Any], now: datetime) -> None:
    """Have the buyers of a parcel told how it stands, where its seller turned that on; a row of stored.due_parcels."""
    wish = decide.wish_of(row["settings"])
    if wish is None or not row["orders"]:
        return
    event = decide.event_of(TrackingStatus(row["status"]) if row["status"] else None, row["order_statuses"])
    at = row["last_event_at"] or row["changed_at"] or now
    if event is None or at < wish.since or now - at > decide.NEWS_LASTS:
        return
    await mails.want(tx, row["orders"], row["id"], event, _not_before(now, shipping))


def _not_before(now: datetime, shipping: dict[str, Any]) -> datetime:
    quiet = decide.quiet_of(shipping.get("quiet") or decide.QUIET)
    return decide.not_before(now, quiet, deadlines.zone_of(shipping["state"]))


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────


async def deliver(rt: Runtime, stop: asyncio.Event | None = None) -> int:
    """Send what is due, some of every seller's. Answers how many were settled.

    After `stop` the message under way is finished, and no other is begun.
    """
    if rt.policy.smtp is None:
        return 0
    async with rt.db.dispatch() as tx:
        sellers = await mails.due_sellers(tx, rt.now())
    count = 0
    for seller_id in sellers:
        with working_for(seller_id):
            try:
                count += await _seller(rt, rt.policy.smtp, seller_id, stop or asyncio.Event())
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("e-mail not sent", seller=str(seller_id))
    return count


async def _seller(rt: Runtime, server: Server, seller_id: UUID, stop: asyncio.Event) -> int:
    token = uuid4()
    async with rt.db.seller(seller_id) as tx:
        for row in await mails.left_behind(tx, rt.now()):
            await _doubt(tx, row["id"], row["number"], row["event"])
        claimed = await mails.claim(tx, token, rt.now(), BATCH)
        shipping = await stored.shipping(tx)
        own = await mails.templates(tx) if claimed else {}
    ready: list[tuple[Due, EmailMessage, str]] = []
    for due in claimed:
        made = await _composed(rt, server, seller_id, token, due, shipping, own)
        ready += [(due, *made)] if made else []
    if ready and not await _send_all(rt, server, seller_id, token, ready, stop):
        return 0  # nothing more leaves now: the next round tries what else is due
    return len(claimed)


async def _composed(
    rt: Runtime, server: Server, seller_id: UUID, token: UUID, due: Due, shipping: dict[str, Any],
    own: dict[tuple[str, str], Template],
) -> tuple[EmailMessage, str] | None:  # fmt: skip
    """The message and its recipient; None where it is settled already: nobody to tell, too late, or too early."""
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        told = await mails.facts(tx, due.order_id, due.shipment_id)
        wish = decide.wish_of(told["settings"]) if told else None
        not_before = _not_before(now, shipping)
        why = "turned_off" if told is None or wish is None else None
        if told and wish:
            why = decide.unusable(told["email"], relays=wish.relays)
        if why is None and now - due.created_at > LONGEST_WAIT:
            why = "too_late"
        if told is None or wish is None or why is not None:
            await mails.settle(tx, token, due.id, "skipped", why, now)
            return None
        if not_before > now:
            await mails.later(tx, token, due.id, not_before, "quiet_hours", counts=False)
            return None
    link = parcel_link.address(rt.policy.public_url, rt.vault, seller_id, due.shipment_id)
    words = decide.render(
        own.get((due.event, wish.locale)) or decide.TEMPLATES[wish.locale][due.event],
        fields(told, shipping, wish.locale, link),
    )
    to = str(told["email"]).strip()
    return message(server, due.id, to, words, shipping["name"], wish, now), to


def fields(told: dict[str, Any], shipping: dict[str, Any], locale: str, link: str | None) -> dict[str, str | None]:
    """What a template may name, of a row of mails.facts."""
    rules = deadlines.rules_of(shipping)
    zone = deadlines.zone_of(rules.state)
    until: datetime | None = None
    if told["status"] == TrackingStatus.AWAITING_PICKUP:
        end, assumed = deadlines.pickup_end(deadlines.parcel_of({**told, "changed_at": None, "received": False}), rules)
        until = None if assumed else end - deadlines.DAY  # a day that nobody told is no promise
    day = partial(_day, locale=locale)
    return {
        "greeting": decide.greeting(told["name"], locale), "order": told["number"], "store": shipping["name"],
        "carrier": told["carrier"], "code": told["tracking_code"], "link": link,
        "deliver_by": day(told["deliver_by"].astimezone(zone)) if told["deliver_by"] else None,
        "pickup_until": day(until) if until else None,
        "place": ", ".join(filter(None, [told["place"], told["state"]])) or None,
    }  # fmt: skip


def _day(at: datetime, locale: str) -> str:
    return str(dates.format_date(at, "dd/MM/yyyy" if locale == "pt_BR" else "MMM d, y", locale=locale))


def message(
    server: Server, mail_id: UUID, to: str, words: Words, store: str, wish: Wish, now: datetime
) -> EmailMessage:
    """One e-mail, in the seller's name from the installation's address; its Message-ID is its row's."""
    made = EmailMessage()
    made["From"] = formataddr((" ".join(store.split()), server.address))
    made["To"] = to
    made["Subject"] = words.subject
    made["Date"] = format_datetime(now.astimezone(UTC))
    made["Message-ID"] = f"<{mail_id}@{server.address.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made["Content-Language"] = wish.locale.replace("_", "-")
    if wish.reply_to:
        made["Reply-To"] = wish.reply_to
    made.set_content(words.text)
    made.add_alternative(words.html, subtype="html")
    return made


async def _send_all(
    rt: Runtime, server: Server, seller_id: UUID, token: UUID, ready: list[tuple[Due, EmailMessage, str]],
    stop: asyncio.Event,
) -> bool:  # fmt: skip
    """Answers whether the server can be reached."""
    left = list(ready)
    try:
        async with line(server) as open_line:
            while left and not stop.is_set():
                await _send(rt, open_line, seller_id, token, *left[0])
                left.pop(0)
        async with rt.db.seller(seller_id) as tx:
            await alerts.resolve(tx, DOWN, "smtp")
            for due, _message, _to in left:
                await mails.later(tx, token, due.id, rt.now(), None, counts=False)
    except (Unreachable, InDoubt) as problem:
        if isinstance(problem, InDoubt):
            left.pop(0)  # that one is noted; the others did not leave
        async with rt.db.seller(seller_id) as tx:
            if isinstance(problem, Unreachable):
                await alerts.raise_(tx, DOWN, "smtp", severity="urgent", detail=str(problem))
                log.warning("no e-mail leaves", reason=str(problem))
            for due, _message, _to in left:
                at = decide.again_at(rt.now(), due.attempts + 1)
                await mails.later(tx, token, due.id, at, "server", counts=True)
        return False
    return True


async def _send(
    rt: Runtime, open_line: Line, seller_id: UUID, token: UUID, due: Due, made: EmailMessage, to: str
) -> None:
    """One message: noted as leaving, sent, noted as sent. InDoubt goes on up: the connection is gone."""

    async def before() -> None:
        async with rt.db.seller(seller_id) as tx:
            if not await mails.leaving(tx, token, due.id, rt.now()):
                raise _Lost

    try:
        await open_line.send(made, to, before)
    except _Lost:
        return
    except Refused as problem:
        async with rt.db.seller(seller_id) as tx:
            at = decide.again_at(rt.now(), due.attempts + 1)
            if problem.for_good or at - due.created_at > LONGEST_WAIT:
                await mails.settle(tx, token, due.id, "failed", f"refused {problem}", rt.now())
            else:
                await mails.later(tx, token, due.id, at, f"refused {problem}", counts=True)
        return
    except InDoubt:
        async with rt.db.seller(seller_id) as tx:
            if await mails.settle(tx, token, due.id, "doubt", "connection_lost", rt.now()):
                told = await mails.facts(tx, due.order_id, due.shipment_id)
                await _doubt(tx, due.id, told["number"] if told else None, due.event)
        raise
    async with rt.db.seller(seller_id) as tx:
        if await mails.settle(tx, token, due.id, "sent", None, rt.now()):
            await orders.event(tx, due.order_id, "buyer_mailed", event=due.event)
            await mails.resolve(tx, DOUBT, due.order_id)  # a newer word reached the buyer


class _Lost(Exception):
    """Another has this e-mail by now."""


async def _doubt(tx: Tx, mail_id: UUID, number: str | None, event: str) -> None:
    await alerts.raise_(tx, DOUBT, str(mail_id), severity="info", order=number, event=event)


async def run(rt: Runtime, stop: asyncio.Event) -> None:
    """Send until nothing is due; for the sweep, beside everything else."""
    while not stop.is_set() and await deliver(rt, stop):
        pass


# ── what a seller sets ──────────────────────────────────────────────────────────────────────────────────────


async def set_mail(
    rt: Runtime, account: Account, *, on: bool | None = None, relays: bool | None = None, locale: str | None = None,
    reply_to: str | None = None,
) -> Wish | None:  # fmt: skip
    """Turn an account's buyers' e-mail on or off, and how it is sent. Answers what holds now; None: off.

    Refused while no server is set to send by. `reply_to` "": none.
    """
    async with rt.db.seller(account.seller_id) as tx:
        told = dict((await accounts.get(tx, account.id)).settings.get("mail") or {})
        before = dict(told)
        if on and rt.policy.smtp is None:
            raise connect.Refused("no e-mail can leave: set BALCAO_SMTP_URL and BALCAO_MAIL_FROM, and start again")
        if on is not None:
            told["since"] = (told.get("since") or rt.now().isoformat()) if on else None
        if reply_to and decide.unusable(reply_to, relays=True):
            raise connect.Refused(f"reply-to: {reply_to!r} is no e-mail address")
        changes = {"relays": relays, "locale": locale, "reply_to": reply_to}
        told.update({name: value for name, value in changes.items() if value is not None})
        if told != before:
            await accounts.settle_settings(tx, account.id, mail=told)
            await stock.audit(tx, "account_mail", str(account.id), **told)
    return decide.wish_of({"mail": told})


async def decide_doubt(rt: Runtime, seller_id: UUID, mail_id: UUID, *, send: bool) -> bool:
    """A person's word about an e-mail in doubt or failed: send it once more, or leave it. False: there is none such."""
    async with rt.db.seller(seller_id) as tx:
        found = await (mails.retry(tx, mail_id, rt.now()) if send else mails.leave(tx, mail_id))
        await alerts.resolve(tx, DOUBT, str(mail_id))
        await stock.audit(tx, "mail_retry" if send else "mail_leave", str(mail_id), found=found)
    return found


async def set_template(rt: Runtime, seller_id: UUID, event: str, locale: str, template: Template | None) -> Template:
    """Keep a seller's own words (None: back to the hub's). Answers what holds now; Refused, naming the part."""
    problem = decide.problem_with(template) if template else None
    if problem:
        raise connect.Refused(problem)
    async with rt.db.seller(seller_id) as tx:
        await mails.put_template(tx, event, locale, template)
        await stock.audit(tx, "mail_template", event, locale=locale, reset=template is None)
    return template or decide.TEMPLATES[locale][event]


async def check(server: Server) -> str | None:
    """Why no e-mail can leave by a server now, in one sentence; None: it can."""
    try:
        async with line(server):
            return None
    except Unreachable as problem:
        return str(problem)
