"""Freight of an order: what is to be sent, what every carrier asks for it side by side, and which one is taken."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import adapters
from hub import freight_words
from hub.context import working_for
from hub.contract import FreightSource
from hub.faults import POLICIES, ChannelError
from hub.freight import Choice, Offer, Rule, choose, promised
from hub.model import Parcel, Quote
from hub.packing import Limits, TooLarge, Unit, Volume, pack
from hub.parse import bare
from hub.store import Tx, freight
from hub.store.accounts import Account
from hub.store.freight import OfferRow
from jobs.connect import Refused
from jobs.runtime import Runtime, log

SECONDS = 8.0  # that a carrier has to answer in
FRESH = timedelta(minutes=30)  # how long a quote is bought by
_MEASURES = ("weight_g", "length_mm", "width_mm", "height_mm")


class FreightRefused(Refused):
    """A refusal that is told in its reader's language: `kind` is one of freight_words.REFUSALS."""

    def __init__(self, kind: str, **params: object) -> None:
        super().__init__(freight_words.sentence(kind, "en", params))
        self.kind, self.params = kind, params

    def told(self, locale: str) -> str:
        """The sentence in "pt-BR" or "en"."""
        return freight_words.sentence(self.kind, locale, self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """What an order is to be sent as: a parcel for each volume, from where, to where, by when."""

    order: Mapping[str, Any]
    policy: Mapping[str, Any]
    volumes: Sequence[Volume]
    parcels: Sequence[Parcel]

    @property
    def number(self) -> str:
        """What a person calls the order."""
        return str(self.order["number"] or self.order["ref"])

    def asked(self) -> dict[str, Any]:
        """What carriers are asked with, as it is kept."""
        parcels = [parcel.model_dump() for parcel in self.parcels]
        units = [dict(volume.units) for volume in self.volumes]
        return {"parcels": parcels, "units": units, "deliver_by": self.order["deliver_by"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A kept quote: rows of offers (failures with their sentence), and what the policy's rule takes."""

    id: UUID
    at: datetime
    consignment: Consignment
    rows: Sequence[Mapping[str, Any]]

    def choice(self, rule: Rule | None = None) -> Choice:
        """What a rule (the policy's when none is named) takes of it."""
        chosen = rule or Rule(self.consignment.policy["rule"] or Rule.PROMISE)
        return choose(offers_of(self.rows), chosen, self.consignment.order["deliver_by"])


def offers_of(rows: Sequence[Mapping[str, Any]]) -> list[Offer]:
    """Offers that can be bought, of kept rows."""
    return [
        Offer(
            account=str(row["account_id"]), service=row["service"], price_cents=row["price_cents"],
            deliver_by=row["deliver_by"], days=row["days"],
        )
        for row in rows
        if row["error"] is None and row["price_cents"] is not None
    ]  # fmt: skip


# ── What is to be sent ──────────────────────────────────────────────────────────────────────────────────────


async def consignment(tx: Tx, order_id: UUID, *, lock: bool = False) -> Consignment:
    """An order's volumes by its SKUs' measures. FreightRefused names what keeps it from being sent."""
    order = await freight.order(tx, order_id, lock=lock)
    if order is None:
        raise FreightRefused("order")
    number = order["number"] or order["ref"]
    if order["status"] != "paid":
        raise FreightRefused("status", number=number, status=order["status"])
    if order["hold"]:
        raise FreightRefused("hold", number=number, hold=order["hold"])
    if order["fulfilled_by"] == "marketplace":
        raise FreightRefused("marketplace", number=number)
    policy = await freight.policy(tx, order["account_id"])
    volumes = _volumes(number, await freight.lines(tx, order_id), policy)
    to = bare((order["told"].get("ship_to") or {}).get("postal_code"))
    if not to:
        raise FreightRefused("to", number=number, fields="postal_code")
    start = bare(((policy["sender"] or {}).get("address") or {}).get("postal_code"))
    if not start:
        raise FreightRefused("sender", fields="postal_code")
    parcels = [_parcel(volume, start, to) for volume in volumes]
    return Consignment(order=order, policy=policy, volumes=volumes, parcels=parcels)


def _volumes(number: str, lines: Sequence[Mapping[str, Any]], policy: Mapping[str, Any]) -> list[Volume]:
    sent = [line for line in lines if line["left"] and line["fulfilled_by"] != "marketplace"]
    if not sent:
        raise FreightRefused("nothing", number=number)
    if unlinked := [line["title"] or line["ref"] for line in sent if line["sku"] is None]:
        raise FreightRefused("unlinked", number=number, titles=", ".join(unlinked))
    units, missing = units_of(sent)
    if missing:
        raise FreightRefused("unmeasured", number=number, skus=", ".join(missing))
    told = {
        "grams": policy["most_g"], "side_mm": policy["side_mm"], "sum_mm": policy["sum_mm"], "tare_g": policy["tare_g"],
    }  # fmt: skip
    limits = replace(Limits(), **{name: value for name, value in told.items() if value is not None})
    try:
        return pack(units, limits)
    except TooLarge as problem:
        raise FreightRefused("too_large", number=number, why=(problem.pt, str(problem))) from None


def units_of(lines: Sequence[Mapping[str, Any]]) -> tuple[list[Unit], list[str]]:
    """Units to pack, and SKUs whose weight or measures are missing. A kit without measures is packed as its parts."""
    units: list[Unit] = []
    missing: dict[str, None] = {}
    for line in lines:
        whole = all(line[name] for name in _MEASURES)
        rows = line["parts"] if line["parts"] and not whole else [{**line, "quantity": 1}]
        pieces = [row for row in rows for _ in range(row["quantity"] * line["multiplier"] * line["left"])]
        worth = (line["total_cents"] or 0) * line["left"] // line["quantity"]
        for place, piece in enumerate(pieces):
            if not all(piece[name] for name in _MEASURES):
                missing[piece["sku"]] = None
                continue
            value = worth // len(pieces) + (place < worth % len(pieces))
            sides = (piece["length_mm"], piece["width_mm"], piece["height_mm"])
            units.append(Unit(piece["sku"], piece["weight_g"], sides, value))
    return units, list(missing)


def _parcel(volume: Volume, start: str, to: str) -> Parcel:
    long, wide, high = volume.sides_cm()
    return Parcel(
        from_postal_code=start, to_postal_code=to, weight_g=volume.grams, length_cm=long, width_cm=wide,
        height_cm=high, value_cents=volume.value_cents,
    )  # fmt: skip


# ── What carriers ask for it ────────────────────────────────────────────────────────────────────────────────


async def quote(rt: Runtime, seller_id: UUID, order_id: UUID, *, seconds: float = SECONDS) -> Quoted:
    """Ask every live carrier at once, each within its own time limit, and keep what they answered."""
    channels = [name for name in adapters.names() if rt.adapter(name).freight]
    async with rt.db.seller(seller_id) as tx:
        wanted = await consignment(tx, order_id)
        ids = await freight.carriers(tx, channels)
    if not ids:
        raise FreightRefused("no_carrier")
    accounts = [await rt.account(seller_id, id_) for id_ in ids]
    told = await asyncio.gather(*(_ask(rt, account, wanted, seconds) for account in accounts))
    async with rt.db.seller(seller_id) as tx:
        at = rt.now()
        quote_id = await freight.keep(tx, order_id, at, wanted.asked(), [row for rows in told for row in rows])
        rows = await freight.offers(tx, [quote_id])
    return Quoted(id=quote_id, at=at, consignment=wanted, rows=rows)


async def kept(rt: Runtime, seller_id: UUID, order_id: UUID) -> Quoted | None:
    """The newest quote, where it is fresh, was asked for these very parcels and has an offer."""
    async with rt.db.seller(seller_id) as tx:
        wanted = await consignment(tx, order_id)
        known = await freight.latest(tx, order_id)
        rows = await freight.offers(tx, [known["id"]]) if known else []
    same = known and known["asked"]["parcels"] == wanted.asked()["parcels"]
    if known is None or not same or rt.now() - known["at"] > FRESH or not offers_of(rows):
        return None
    return Quoted(id=known["id"], at=known["at"], consignment=wanted, rows=rows)


async def latest(rt: Runtime, seller_id: UUID, order_id: UUID) -> Quoted:
    """The quote that is kept; where it will not do a new one."""
    return await kept(rt, seller_id, order_id) or await quote(rt, seller_id, order_id)


async def _ask(rt: Runtime, account: Account, wanted: Consignment, seconds: float) -> list[OfferRow]:
    """One carrier's rows. Whatever goes wrong there is a row with its sentence, and nobody else's trouble."""
    source = rt.adapter(account.channel).freight
    if source is None:
        raise FreightRefused("not_carrier", account=account.name)
    began = time.monotonic()

    def row(**words: Any) -> OfferRow:
        return OfferRow(account_id=account.id, ms=round((time.monotonic() - began) * 1000), **words)

    try:
        async with asyncio.timeout(seconds):
            with working_for(account.seller_id, account.id):
                api = await rt.api(account)
                told = await asyncio.gather(*(_quotes(api, source, parcel) for parcel in wanted.parcels))
    except TimeoutError:
        return [row(service="", error_code="timeout", error=f"no answer within {seconds:g} s")]
    except ChannelError as problem:
        if POLICIES[problem.fault].holds_account:
            await rt.hold(account, problem)
        return [row(service="", error_code=problem.code, error=problem.detail)]
    except Exception as problem:  # noqa: BLE001 - the boundary: one carrier's trouble is not another's
        log.exception("quote failed", channel=account.channel)
        return [row(service="", error_code=type(problem).__name__, error=str(problem)[:200] or "our own fault")]
    if not any(told):
        return [row(service="", error_code="nothing", error="no service is offered for this parcel")]
    return [row(**words) for words in _together(rt, source, wanted, told)]


async def _quotes(api: Any, source: FreightSource, parcel: Parcel) -> list[Quote]:
    return source.read_quotes(await source.quote(api, parcel, source.services), source.services)


def _together(
    rt: Runtime, source: FreightSource, wanted: Consignment, told: Sequence[Sequence[Quote]]
) -> list[dict[str, Any]]:
    """Each service over all volumes: prices added, the last promise; one volume refused is the service refused."""
    by_service: dict[str, list[Quote]] = {}
    for quotes in told:
        for one in quotes:
            by_service.setdefault(one.service, []).append(one)
    rows = []
    for service, quotes in by_service.items():
        first, error = quotes[0], next((one.error for one in quotes if one.error and one.price_cents is None), None)
        prices = [one.price_cents for one in quotes if one.price_cents is not None]
        code, sentence = (error.code, error.message) if error else (None, None)
        if error is None and len(prices) < len(wanted.parcels):
            code, sentence = "partial", f"a price for {len(prices)} of {len(wanted.parcels)} volumes only"
        days = [one.days for one in quotes if one.days is not None]
        told_days = [promised(one.days, rt.now()) for one in quotes if one.deliver_by is None and one.days is not None]
        ends = [one.deliver_by for one in quotes if one.deliver_by] + told_days
        divisor = source.divisors.get(service, source.divisors.get(""))
        rows.append({
            "service": service, "name": first.name, "price_cents": None if sentence else sum(prices),
            "days": max(days, default=None), "deliver_by": max(ends, default=None),
            "home_delivery": first.home_delivery, "error_code": code, "error": sentence,
            "cubic_g": sum(volume.cubic_g(divisor) for volume in wanted.volumes) if divisor else None,
        })  # fmt: skip
    return rows


async def preview(
    rt: Runtime, seller_id: UUID, order_ids: Sequence[UUID], *, at_once: int = 4
) -> list[tuple[UUID, Quoted | FreightRefused]]:
    """What would be chosen for each of these orders; a refusal stands in its order's place."""
    gate = asyncio.Semaphore(at_once)

    async def one(order_id: UUID) -> Quoted | FreightRefused:
        async with gate:
            try:
                return await latest(rt, seller_id, order_id)
            except FreightRefused as refusal:
                return refusal

    return list(zip(order_ids, await asyncio.gather(*map(one, order_ids)), strict=True))
