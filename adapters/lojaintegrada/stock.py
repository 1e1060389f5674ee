"""How Loja Integrada is told numbers and parcels, and what its answers say. Pure."""

import re
from http import HTTPStatus

from hub import parse
from hub.calls import refusal_of
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

API = "/v1"
PATH = re.compile(r"/produto_estoque/(\d+)/?$")
SITUATIONS = {News.DISPATCHED: "pedido_enviado", News.DELIVERED: "pedido_entregue"}
AT_ONCE, NEVER = 0, -1  # days to deliver with stock; without stock: not for sale


def render(write: StockWrite) -> Request:
    """With the panel's own settings as they were just seen (`version`)."""
    if not write.slot_ref.isdecimal():
        raise Unreadable("slot_ref", f"not a product's number: {write.slot_ref!r}"[:120])
    seen = re.fullmatch(r"(-?\d+):(-?\d+)", write.version or "")
    with_stock, without = (int(seen[1]), int(seen[2])) if seen else (AT_ONCE, NEVER)
    return Request(
        method="PUT",
        path=f"{API}/produto_estoque/{write.slot_ref}",
        json={
            "gerenciado": True,
            "quantidade": write.quantity,
            "situacao_em_estoque": with_stock,
            "situacao_sem_estoque": without,
        },
        operation="stock",
        accept=frozenset({400, 404}),
    )


def sent(request: Request) -> StockWrite:
    """The write of a rendered request."""
    found, told = PATH.search(request.path), Wire(request.json, "request")
    if not found:
        raise Unreadable("request.path", "not a product's stock")
    return StockWrite(slot_ref=found[1], listing_ref=found[1], quantity=told.needed_count("quantidade"))


def read(write: StockWrite, reply: Reply) -> Outcome:
    """Taken, with the number that the answer repeats, or refused."""
    body = json_of(reply)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, message = error_of(body)
        return Outcome.refused(write, code or str(reply.status), message)
    told = Wire(body, "body")
    if told.flag("gerenciado") is False:
        return Outcome.refused(write, "unmanaged", "the store does not count it")
    return Outcome.accepted(write, told.units("quantidade"))


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence; the shape of errors is not documented, so several are tried."""
    if not isinstance(body, dict):
        return None, None
    said = [str(told) for told in (body.get(key) for key in ("message", "mensagem", "error_message", "erro")) if told]
    code = parse.text(body.get("code")) if not isinstance(body.get("code"), dict | list) else None
    return code, said[0][:300] if said else None


def read_error(reply: Reply) -> str | None:
    """The vendor's code of an error answer."""
    return error_of(refusal_of(reply))[0]


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """The code onto the order's parcel, then the situation, which may send the buyer an e-mail."""
    if news.news not in SITUATIONS:
        return []
    parcel = _parcel(news)
    told = []
    if news.news is News.DISPATCHED and parcel and news.tracking_code:
        path = f"{API}/pedido_envio/{parcel}"
        told.append(Request(method="PUT", path=path, json={"objeto": news.tracking_code}, operation="shipment"))
    path = f"{API}/situacao/pedido/{news.order_ref}"
    return [*told, Request(method="PUT", path=path, json={"codigo": SITUATIONS[news.news]}, operation="shipment")]


def _parcel(news: ShipmentNews) -> str | None:
    """The order's parcel that has no code yet, or this one; None where all have others."""
    for row in Wire(news.there, "order").rows("envios"):
        if row.text("objeto") in (None, news.tracking_code):
            return row.ref("id")
    return None
