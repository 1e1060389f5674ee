"""Labels bought, each parcel's once: written down before the carrier is asked, looked up before it is asked again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from hub import nfe
from hub.context import working_for
from hub.contract import Api, FreightSource
from hub.faults import POLICIES, ChannelError, Fault
from hub.freight import Rule, why
from hub.http import CallError
from hub.model import DeclaredGoods, Parcel, Party, Posting, Purchase, Quote, Raw, Reply, Shipment, TrackingStatus
from hub.parse import CNPJ_LENGTH, bare
from hub.store import Tx, alerts, freight, labels, orders, shipments, stock
from jobs import freight_labels
from jobs.freight import Consignment, FreightRefused, Quoted, consignment, kept
from jobs.freight_checks import insisted
from jobs.poll import webhook_url
from jobs.runtime import Runtime, log

LANDED = timedelta(seconds=30)  # after which a request that got no answer (its deadline is 10 s) cannot arrive any more
AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What a purchase came to: the order's labels by volume. `again`: it had them before, and nothing was bought."""

    labels: list[dict[str, Any]]
    again: bool


# ── Before anything is bought ───────────────────────────────────────────────────────────────────────────────


def postings(wanted: Consignment, service: str) -> list[Posting]:
    """A posting for each volume. FreightRefused names what the label or the law still lacks."""
    key, goods = documents(wanted)
    sender, recipient = sender_of(wanted.policy), recipient_of(wanted)
    return [
        Posting(
            reference="-", service=service, sender=sender, recipient=recipient, parcel=parcel, invoice_key=key,
            goods=() if key else goods,
        )
        for parcel in wanted.parcels
    ]  # fmt: skip


def documents(wanted: Consignment) -> tuple[str | None, tuple[DeclaredGoods, ...]]:
    """The NF-e key that goes with the parcel, checked; without one the declared content, where that is allowed."""
    if keys := wanted.order["keys"]:
        try:
            return nfe.key_of(keys[0]).key, ()
        except nfe.BadKey as problem:
            raise FreightRefused("key", number=wanted.number, why=(problem.pt, str(problem))) from None
    document = bare((wanted.policy["sender"] or {}).get("document")) or ""
    declares = wanted.policy["declares"]
    if declares is None:
        declares = (
            len(document) != CNPJ_LENGTH
        )  # a person's parcel leaves with a declaration, a company's with its NF-e
    if not declares:
        raise FreightRefused("no_document", number=wanted.number)
    lines = [line for line in wanted.order["told"]["lines"] if line["quantity"] > line["cancelled_quantity"]]
    return None, tuple(
        DeclaredGoods(
            description=line["title"] or line["sku"] or line["ref"],
            quantity=line["quantity"] - line["cancelled_quantity"],
            value_cents=(line["total_cents"] or 0) // line["quantity"],
        )
        for line in lines
    )


_ON_A_LABEL = ("street", "city", "state", "postal_code")


def sender_of(policy: Mapping[str, Any]) -> Party:
    """Who sends, as the policy has it."""
    if missing := unsaid(policy):
        raise FreightRefused("sender", fields=", ".join(missing))
    try:
        return Party.model_validate(policy["sender"])
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise FreightRefused("sender", fields=".".join(map(str, first["loc"]))) from None


def unsaid(policy: Mapping[str, Any]) -> list[str]:
    """What a label still lacks of its sender."""
    told = policy["sender"] or {}
    place = told.get("address") or {}
    missing = [name for name in ("name", "document") if not told.get(name)]
    return missing + [f"address.{name}" for name in _ON_A_LABEL if not place.get(name)]


def recipient_of(wanted: Consignment) -> Party:
    """Who gets it, as the order's channel told."""
    told = wanted.order["told"]
    place, buyer = told.get("ship_to") or {}, told.get("buyer") or {}
    name = place.get("recipient") or buyer.get("name")
    missing = [] if name else ["recipient"]
    if missing := [*missing, *(each for each in _ON_A_LABEL if not place.get(each))]:
        raise FreightRefused("to", number=wanted.number, fields=", ".join(missing))
    document = (buyer.get("document") or {}).get("number")
    return Party.model_validate(
        {"name": name, "document": document, "phone": buyer.get("phone"), "email": buyer.get("email"), "address": place}
    )


# ── Buying ──────────────────────────────────────────────────────────────────────────────────────────────────


async def buy(
    rt: Runtime, seller_id: UUID, order_id: UUID, *, account_id: UUID | None = None, service: str | None = None,
    rule: Rule | None = None, seen_cents: int | None = None, insists: Collection[str] = (),
) -> Bought:  # fmt: skip
    """Buy an order's labels: of this account and service, else what the rule takes of its kept quote, which is fresh.

    An order that has them buys nothing; one whose purchase is in doubt is looked up first. FreightRefused says what
    keeps it from being bought: no quote, a price that is not the one seen, a label of the channel's own or units that
    are short (unless a person `insists`: freight_checks.INSISTS). What a carrier refused stands in its label.
    """
    known = await _known(rt, seller_id, order_id)
    if known and len(known) >= known[0]["volumes"]:
        return Bought(labels=known, again=True)
    if known:  # some of its volumes were refused: they go the way of the others
        account_id, service = known[0]["account_id"], known[0]["service"]
    async with rt.db.seller(seller_id) as tx:
        await insisted(rt, tx, order_id, insists)
    quoted, offer = await _agreed(rt, seller_id, order_id, account_id, service, rule, seen_cents)
    async with rt.db.seller(seller_id) as tx:
        # Again, under the order's lock: what it is sent as may have changed since.
        wanted = await _checked(tx, order_id, quoted)
        await insisted(rt, tx, order_id, insists)
        if known and known[0]["volumes"] != len(wanted.parcels):
            raise FreightRefused(
                "repacked", number=wanted.number, before=known[0]["volumes"], now=len(wanted.parcels)
            )  # fmt: skip
        there = {label["volume"] for label in known}
        every = enumerate(postings(wanted, offer["service"]), 1)
        told = {volume: _kept(posting) for volume, posting in every if volume not in there}
        held = await labels.add(tx, order_id, offer, told, len(wanted.parcels), wanted.number, rt.now() + labels.LEASE)
        if held is None:
            raise FreightRefused("busy", number=wanted.number)
        await stock.audit(
            tx, "label_buy", str(order_id), account=offer["account"], service=offer["service"], volumes=len(told),
            cents=offer["price_cents"],
        )  # fmt: skip
    token, ids = held
    for id_ in ids:
        await _work(rt, seller_id, id_, token)
    async with rt.db.seller(seller_id) as tx:
        return Bought(labels=await labels.some(tx, [*(label["id"] for label in known), *ids]), again=False)


async def _agreed(
    rt: Runtime, seller_id: UUID, order_id: UUID, account_id: UUID | None, service: str | None, rule: Rule | None,
    seen_cents: int | None,
) -> tuple[Quoted, dict[str, Any]]:  # fmt: skip
    """The kept quote and what is taken of it, at the price seen."""
    quoted = await kept(rt, seller_id, order_id)
    if quoted is None:
        async with rt.db.seller(seller_id) as tx:
            raise FreightRefused("unquoted", number=(await consignment(tx, order_id)).number)
    offer = offer_of(quoted, account_id, service, rule)
    if seen_cents is not None and seen_cents != offer["price_cents"]:
        before, now = _reais(seen_cents), _reais(offer["price_cents"])
        raise FreightRefused("price", number=quoted.consignment.number, before=before, now=now)
    return quoted, offer


async def _known(rt: Runtime, seller_id: UUID, order_id: UUID) -> list[dict[str, Any]]:
    """The labels that an order has, all of them bought; those in doubt are settled first."""
    async with rt.db.seller(seller_id) as tx:
        known = await labels.alive(tx, order_id)
    for label in known:
        if label["status"] in ("buying", "paying", "cancelling") and not await _resume(rt, seller_id, label["id"]):
            raise FreightRefused("busy", number=label["number"])
    async with rt.db.seller(seller_id) as tx:
        now_known = await labels.alive(tx, order_id)
    for label in now_known:
        if label["status"] == "doubt":
            raise FreightRefused(
                "doubt", number=label["number"], reference=label["reference"], account=label["account"]
            )
        if label["status"] != "bought":
            raise FreightRefused("busy", number=label["number"])
    return now_known


async def _checked(tx: Tx, order_id: UUID, quoted: Quoted) -> Consignment:
    wanted = await consignment(tx, order_id, lock=True)
    if wanted.asked()["parcels"] != quoted.consignment.asked()["parcels"]:
        raise FreightRefused("busy", number=wanted.number)
    return wanted


def _reais(cents: int) -> tuple[str, str]:
    return f"R$ {cents // 100},{cents % 100:02d}", f"R$ {cents // 100}.{cents % 100:02d}"


def offer_of(quoted: Quoted, account_id: UUID | None, service: str | None, rule: Rule | None) -> dict[str, Any]:
    """The offer named, else the one that the rule takes. FreightRefused where there is none."""
    if account_id is None:
        choice = quoted.choice(rule)
        taken: tuple[str, str | None] | None = (choice.offer.account, choice.offer.service) if choice.offer else None
        reason = (why(choice, "pt-BR"), why(choice, "en"))
    else:
        taken, reason = (str(account_id), service), ("não foi oferecida", "it was not offered")
    for row in quoted.rows:
        if (str(row["account_id"]), row["service"]) == taken and row["error"] is None:
            return dict(row)
    raise FreightRefused("no_offer", number=quoted.consignment.number, why=reason)


def _kept(posting: Posting) -> dict[str, Any]:
    """Of a posting what is written down: people stand in the order."""
    return posting.model_dump(mode="json", include={"parcel", "invoice_key", "goods"})


# ── One label's purchase, from wherever it stands ───────────────────────────────────────────────────────────


async def _resume(rt: Runtime, seller_id: UUID, id_: UUID) -> bool:
    """Go on with a purchase that nobody works on; False while somebody does, or its request may still arrive."""
    async with rt.db.seller(seller_id) as tx:
        token = await labels.lease(tx, id_, rt.now())
    if token is None:
        return False
    await _work(rt, seller_id, id_, token)
    return True


async def settle_left(rt: Runtime) -> int:
    """Purchases and cancellations that a crash or a lost answer left behind, brought to their end. Answers how many."""
    async with rt.db.dispatch() as tx:
        left = await labels.left_behind(tx, rt.now(), AT_ONCE)
    for seller_id, id_ in left:
        try:
            await _resume(rt, seller_id, id_)
        except Exception:  # noqa: BLE001 - the boundary: one label's trouble is not another's
            log.exception("label unsettled", label=str(id_))
    return len(left)


async def _work(rt: Runtime, seller_id: UUID, id_: UUID, token: UUID) -> None:
    """Bring a leased label to its end; whatever fails is written down with it."""
    async with rt.db.seller(seller_id) as tx:
        (label,) = await labels.some(tx, [id_])
        order = await freight.order(tx, label["order_id"])
        policy = await freight.policy(tx, order["account_id"] if order else None)
    account = await rt.account(seller_id, label["account_id"])
    source = rt.adapter(account.channel).freight
    if source is None or order is None:
        raise FreightRefused("not_carrier", account=account.name)
    try:
        with working_for(seller_id, account.id):
            api = await rt.api(account)
            if label["status"] == "cancelling":
                from jobs import freight_leave

                await freight_leave.withdraw(rt, seller_id, label, api, source, again=True)
            else:
                wanted = Consignment(order=order, policy=policy, volumes=(), parcels=())
                await _purchase(rt, seller_id, label, token, api, source, wanted)
    except ChannelError as problem:
        if POLICIES[problem.fault].holds_account:
            await rt.hold(account, problem)
        await _failed(rt, seller_id, label, token, problem)
    except FreightRefused as refusal:  # what it goes with was taken away meanwhile: looked at again
        async with rt.db.seller(seller_id) as tx:
            await labels.hold_until(tx, id_, token, rt.now() + LANDED, str(refusal))
    else:
        async with rt.db.seller(seller_id) as tx:
            await labels.release(tx, id_, token)


async def _purchase(
    rt: Runtime, seller_id: UUID, label: dict[str, Any], token: UUID, api: Api, source: FreightSource,
    wanted: Consignment,
) -> None:  # fmt: skip
    purchase: Purchase | None = None
    if label["status"] == "buying":
        posting = posting_of(label, wanted)
        if label["tried_at"] is not None:
            if source.find is None:
                await _in_doubt(rt, seller_id, label)
                return
            purchase = await _looked_up(api, source, posting, label["tried_at"])
        if purchase is None:
            async with rt.db.seller(seller_id) as tx:
                if not await labels.trying(tx, label["id"], token, rt.now()):
                    return  # the lease was lost: whoever has it goes on
            notify = await _heard_at(rt, seller_id, label)
            purchase = await _sold(api, source, posting.model_copy(update={"notify": notify}))
        label["status"] = "paying" if source.settle else "bought"
        await _note(rt, seller_id, label, purchase, label["status"])
    if source.settle:
        purchase = purchase or Purchase(ref=label["ref"], service=label["service"])
        await _note(rt, seller_id, label, await source.settle(api, purchase), "bought")


def posting_of(label: dict[str, Any], wanted: Consignment) -> Posting:
    """The posting of a label as it was written down, with the people of its order."""
    kept = label["posting"]
    return Posting(
        reference=label["reference"], service=label["service"], sender=sender_of(wanted.policy),
        recipient=recipient_of(wanted), parcel=Parcel.model_validate(kept["parcel"]), invoice_key=kept["invoice_key"],
        goods=tuple(DeclaredGoods.model_validate(row) for row in kept["goods"]),
        quote=Quote(service=label["service"], name=label["name"], price_cents=label["quoted_cents"]),
    )  # fmt: skip


async def _heard_at(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> str | None:
    """Our address for the carrier's notices; None where there is none."""
    account = await rt.account(seller_id, label["account_id"])
    hears = rt.policy.public_url and rt.adapter(account.channel).webhook
    return await webhook_url(rt, account) if hears else None


async def _looked_up(api: Api, source: FreightSource, posting: Posting, since: datetime) -> Purchase | None:
    """What was bought under the posting's reference. While the carrier cannot be asked it stays in doubt."""
    try:
        return await source.find(api, posting, since) if source.find else None
    except ChannelError as problem:
        raise CallError(problem.fault, problem.code, problem.detail, in_doubt=True) from None


async def _sold(api: Api, source: FreightSource, posting: Posting) -> Purchase:
    """Ask the carrier to sell. An answer that cannot be read leaves it in doubt: it may well have sold."""
    reply = await api.call(source.order(api, posting))
    try:
        return source.read_purchase(_document(reply))
    except ChannelError as problem:
        if problem.fault in (Fault.SHAPE, Fault.TRANSIENT):
            raise CallError(problem.fault, problem.code, problem.detail, in_doubt=True) from None
        raise


def _document(reply: Reply) -> Raw:
    """A JSON value; the text itself where it is none (XML)."""
    text = reply.body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _note(rt: Runtime, seller_id: UUID, label: dict[str, Any], purchase: Purchase, status: str) -> None:
    """Write down what the carrier sold, and the parcel that it is once the purchase is whole."""
    sealed = None
    if purchase.label:
        try:
            sealed = freight_labels.sealed(rt, await freight_labels.drawable(purchase.label))
        except ValueError as problem:  # bought all the same: its label is asked for where the carrier makes one
            log.warning("label unreadable", channel=label["channel"], reference=label["reference"], reason=str(problem))
    async with rt.db.seller(seller_id) as tx:
        if not await labels.known(
            tx, label["id"], status, purchase.ref, tracking_code=purchase.tracking_code,
            price_cents=purchase.price_cents, expires_at=purchase.expires_at, pdf=sealed, now=rt.now(),
        ):  # fmt: skip
            return
        if status != "bought":
            return
        (now_known,) = await labels.some(tx, [label["id"]])
        await note_parcel(rt, tx, now_known)


async def note_parcel(rt: Runtime, tx: Tx, label: dict[str, Any]) -> None:
    """The parcel of a label that was bought: followed from now on; its channel is told when it leaves."""
    order = await freight.order(tx, label["order_id"])
    if order is None:
        return
    adapter = rt.adapter(label["channel"])
    told = Shipment(
        ref=label["tracking_code"] or label["ref"], carrier=adapter.label, service=label["service"],
        tracking_code=label["tracking_code"], status=TrackingStatus.LABEL_CREATED,
    )  # fmt: skip
    follows = label["account_id"] if adapter.tracking else None
    shipment_id = await shipments.add(tx, order["account_id"], label["order_id"], told, follows, rt.now())
    await labels.shipped_as(tx, label["id"], shipment_id)
    await orders.event(
        tx, label["order_id"], "label_bought", code=label["tracking_code"] or label["ref"], carrier=adapter.label,
        volume=label["volume"],
    )  # fmt: skip
    await alerts.resolve(tx, "label_doubt", str(label["id"]))


async def _in_doubt(rt: Runtime, seller_id: UUID, label: dict[str, Any]) -> None:
    async with rt.db.seller(seller_id) as tx:
        await labels.set_status(tx, label["id"], "doubt", "nobody knows whether it was bought")
        await alerts.raise_(
            tx, "label_doubt", str(label["id"]), severity="urgent", order=label["number"], account=label["account"],
            channel=label["channel"], reference=label["reference"],
        )  # fmt: skip


async def _failed(
    rt: Runtime, seller_id: UUID, label: dict[str, Any], token: UUID, problem: ChannelError
) -> None:  # fmt: skip
    """In doubt: it stays, and is looked up once the request cannot arrive any more. Else nothing was bought.

    What is being paid is nobody's refusal until the carrier says so: it may be paid already.
    """
    refused = label["status"] == "buying" or (label["status"] == "paying" and problem.fault is Fault.REJECTED)
    doubtful = getattr(problem, "in_doubt", False) or not refused
    async with rt.db.seller(seller_id) as tx:
        if doubtful:
            await labels.hold_until(tx, label["id"], token, rt.now() + LANDED, str(problem))
        else:
            await labels.set_status(tx, label["id"], "refused", problem.detail)
            await labels.release(tx, label["id"], token)


async def resolve(
    rt: Runtime, seller_id: UUID, id_: UUID, *, ref: str | None = None, tracking_code: str | None = None
) -> None:  # fmt: skip
    """A person looked at the carrier's site: it was bought, as this; or (no ref) it was not."""
    async with rt.db.seller(seller_id) as tx:
        found = await labels.some(tx, [id_])
        if not found:
            raise FreightRefused("gone")
        label = found[0]
        if label["status"] != "doubt":
            raise FreightRefused("settled", reference=label["reference"], status=label["status"])
        await stock.audit(tx, "label_settled", str(id_), ref=ref, code=tracking_code)
        if ref is None:
            await labels.set_status(tx, id_, "refused", "a person saw that it was not bought")
            await alerts.resolve(tx, "label_doubt", str(id_))
            return
        at: datetime = rt.now()
        await labels.known(
            tx, id_, "bought", ref, tracking_code=tracking_code, price_cents=None, expires_at=None, pdf=None, now=at
        )
        (now_known,) = await labels.some(tx, [id_])
        await note_parcel(rt, tx, now_known)
