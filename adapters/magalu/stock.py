"""How Magalu is told numbers and parcels, and what its answers say. Pure."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from adapters.magalu import mapping
from hub import parse
from hub.calls import listed, refusal_of, said
from hub.contract import json_of
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import FulfilledBy, News, Outcome, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

PATH = "/seller/v1/portfolios/stocks/"
CORREIOS = "https://rastreamento.correios.com.br/app/index.php?objetos="
S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")
UNSENT = frozenset({"new", "approved"})  # Magalu wants the NF-e, validated, before it hears of a parcel
DONE = {
    News.DISPATCHED: frozenset({"shipped", "delivered", "cancelled"}),
    News.DELIVERED: frozenset({"delivered", "cancelled"}),
}


def render(write: StockWrite) -> Request:
    """A SKU's first number is made, later ones change it."""
    channel = {"id": write.location_ref or mapping.CHANNEL}
    return Request(
        method="POST" if write.version == mapping.ABSENT else "PATCH",
        path=PATH + quote(write.slot_ref, safe=""),
        json={"channel": channel, "quantity": write.quantity, "type": "AVAILABLE"},
        operation="stock",
        repeatable=True,
        accept=frozenset({400, 404, 409, 422}),
    )


def sent(request: Request) -> StockWrite:
    """The write of a rendered request."""
    sku, told = unquote(request.path.partition(PATH)[2]), Wire(request.json, "request")
    if not sku:
        raise Unreadable("request.path", "not a SKU's stock")
    channel, units = told.text("channel.id"), told.needed_count("quantity")
    place = None if channel == mapping.CHANNEL else channel
    version = mapping.ABSENT if request.method == "POST" else None
    return StockWrite(slot_ref=sku, location_ref=place, listing_ref=sku, quantity=units, version=version)


def read(write: StockWrite, reply: Reply) -> Outcome:
    """Taken without a receipt, so that the number is read back; or refused."""
    if reply.status == HTTPStatus.ACCEPTED:  # always: the number stands some time later, and nothing says when
        return Outcome.pending(write)
    if reply.status < HTTPStatus.BAD_REQUEST:
        raise Unreadable("status", f"{reply.status} where a write is answered 202")
    json_of(reply)  # a page of somebody else's refuses nothing
    code, message = error_of(reply)
    return Outcome.refused(write, code or str(reply.status), message)


def error_of(reply: Reply) -> tuple[str | None, str | None]:
    """Code and sentence of the API's {slug, message, details}, the gateway's {errorCode, developerMessage}, or
    the token's {error, error_description}.
    """
    told = refusal_of(reply)
    rows = [row for row in listed(told, "details") if isinstance(row, dict)]
    words = [said(told, key) for key in ("message", "developerMessage", "error_description")]
    words += [f"{row.get('field')}: {row.get('message')}" for row in rows]
    return said(told, "slug", "errorCode", "error"), parse.joined(". ".join(filter(None, words)))


def read_error(reply: Reply) -> str | None:
    """The vendor's code of an error answer."""
    return error_of(reply)[0]


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """What each delivery that the parcel carries must hear, by the order as `news.there` has it.

    A frozen delivery, and one whose NF-e Magalu has not validated yet, is TRANSIENT: the telling waits.
    """
    box = Wire(news.there, "order")
    channel = {"id": box.text("channel.id") or mapping.CHANNEL}
    meant = _meant(news, box) if news.news in DONE else []
    return [_told(news, each, channel) for each in meant if each.text("status") not in DONE[news.news]]


def _meant(news: ShipmentNews, box: Wire) -> list[Wire]:
    """The seller's own deliveries that hold the parcel's lines; else the one of its ref; else all."""
    own = [row for row in box.rows("deliveries") if mapping.fulfilled_by(row) is not FulfilledBy.MARKETPLACE]
    held = {line.line_ref.partition(":")[0] for line in news.lines}
    by_line = [row for row in own if row.ref("id") in held]
    return by_line or [row for row in own if row.ref("id") == news.shipment_ref] or own


def _told(news: ShipmentNews, delivery: Wire, channel: dict[str, str]) -> Request:
    status, ref = delivery.text("status"), delivery.needed_ref("id")
    if status == "frozen":
        raise ChannelError(Fault.TRANSIENT, "frozen", f"delivery {ref} is frozen: it must not be shipped")
    path, body = f"/seller/v1/deliveries/{ref}", {"channel": channel, "delivered_at": clock(news.at)}
    if news.news is News.DELIVERED:
        return Request(method="POST", path=f"{path}/finishing", json=body, operation="shipment")
    if status in UNSENT and not any(row.text("status") == "approved" for row in delivery.rows("invoices")):
        why = f"delivery {ref} waits for its NF-e: hand it to Magalu, the parcel is told once it is validated"
        raise ChannelError(Fault.TRANSIENT, "not_invoiced", why)
    body = {"channel": channel, **_parcel(news, mapping.deadline(delivery) or news.at)}
    return Request(method="POST", path=f"{path}/shippings", json=body, operation="shipment")


def _parcel(news: ShipmentNews, promised: datetime) -> dict[str, Any]:
    """There is no field for a tracking code: it is the protocol, and a part of the address, which is demanded."""
    code = news.tracking_code or ""
    return {
        "tracking_url": news.tracking_url or (CORREIOS + code if S10.fullmatch(code) else code),
        "dates": {"shipped_at": clock(news.at), "estimated_delivery_at": clock(promised)},
        **({"protocol": code} if code else {}),
        **({"carrier": {"name": news.carrier}} if news.carrier else {}),
    }


def clock(at: datetime) -> str:
    """A time as Magalu writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
