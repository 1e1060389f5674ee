"""How Bling is told numbers and parcels, and what its answers say. Pure."""

from http import HTTPStatus

from hub import parse
from hub.calls import refusal_of
from hub.contract import json_of
from hub.faults import Unreadable
from hub.model import News, Outcome, Raw, Reply, Request, ShipmentNews, StockWrite
from hub.wire import Wire

ATTENDED = 9
BALANCE = "B"  # sets the deposit's physical number; E and S add and take


def render(write: StockWrite) -> Request:
    """A balance entry of one product; without a deposit Bling refuses it, in words."""
    if not write.slot_ref.isdecimal():
        raise Unreadable("slot_ref", f"not a product's number: {write.slot_ref!r}"[:120])
    body = {"produto": {"id": int(write.slot_ref)}, "operacao": BALANCE, "quantidade": write.quantity}
    if write.location_ref:
        body["deposito"] = {"id": int(write.location_ref)}
    return Request(method="POST", path="/estoques", json=body, operation="stock", accept=frozenset({400, 404}))


def sent(request: Request) -> StockWrite:
    """The write of a rendered entry."""
    told = Wire(request.json, "request")
    if told.text("operacao") != BALANCE:
        raise Unreadable(told.at("operacao"), "not a balance")
    product, deposit = told.needed_ref("produto.id"), told.ref("deposito.id")
    units = told.needed_count("quantidade")
    return StockWrite(slot_ref=product, location_ref=deposit, listing_ref=product, quantity=units)


def read(write: StockWrite, reply: Reply) -> Outcome:
    """The answer names the entry, and repeats no number."""
    body = json_of(reply)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        code, message = error_of(body)
        return Outcome.refused(write, code or str(reply.status), message)
    Wire(body, "body").needed_ref("data.id")
    return Outcome.accepted(write)


def error_of(body: Raw) -> tuple[str | None, str | None]:
    """Code and sentence of `{error: {type, message, description, fields}}`, the deepest field's own words first."""
    told = body.get("error") if isinstance(body, dict) else None
    if isinstance(told, str):  # of the token's address: {"error": "invalid_grant", "error_description": ...}
        return told, parse.text(body.get("error_description"))
    if not isinstance(told, dict):
        return None, None
    words = (told.get("description") or told.get("message"), *_fields(told))[:4]
    return parse.text(told.get("type")), parse.joined(*(str(each) for each in words if each))


def _fields(told: Raw) -> list[str]:
    """What is wrong with which field; a field's own list stands in its `collection`."""
    found: list[str] = []
    for row in (told.get("fields") or told.get("collection") or ()) if isinstance(told, dict) else ():
        if isinstance(row, dict):
            inner = _fields(row)
            found += inner or [f"{row.get('element')}: {row.get('msg')}"]
    return found


def read_error(reply: Reply) -> str | None:
    """The vendor's word of an error answer."""
    return error_of(refusal_of(reply))[0]


def shipped(news: ShipmentNews, _target: str) -> list[Request]:
    """The order with its tracking code, then its situation; Bling has no word for what comes later."""
    if news.news is not News.DISPATCHED:
        return []
    path = f"/pedidos/vendas/{news.order_ref}"
    situation = Request(method="PATCH", path=f"{path}/situacoes/{ATTENDED}", operation="shipment")
    changed = _with_code(news.there, news)
    if changed is None:
        return [situation]
    return [Request(method="PUT", path=path, json=changed, operation="shipment"), situation]


def _with_code(there: Raw, news: ShipmentNews) -> Raw:
    """The whole order as Bling told it, its first volume without a code given this one; None: nothing to change."""
    told = there.get("data") if isinstance(there, dict) else None
    if not isinstance(told, dict) or not news.tracking_code:
        return None
    transport = dict(told.get("transporte") or {})
    volumes = [dict(volume) for volume in transport.get("volumes") or () if isinstance(volume, dict)]
    if any(volume.get("codigoRastreamento") == news.tracking_code for volume in volumes):
        return None
    bare = next((volume for volume in volumes if not volume.get("codigoRastreamento")), None)
    if bare is None:
        bare = {"servico": news.service or news.carrier or "Outro"}
        volumes.append(bare)
    bare["codigoRastreamento"] = news.tracking_code
    return {**told, "transporte": {**transport, "volumes": volumes}}
