"""Orders: the list, and one order whole."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from hub.store import accounts, orders, screens
from hub.web.edge import Problem, Visit
from hub.web.pages.accounts import adapter_of
from hub.web.pages.keyset import SIZE, id_asked, part, place_asked


async def every(visit: Visit) -> web.Response:
    """Pedidos."""
    told, search = visit.asked("situacao"), visit.asked("busca")
    status = told if told in screens.ORDER_FILTERS else None
    account_id = id_asked(visit, "conta")
    async with visit.tx() as tx:
        known = await accounts.every(tx)
        if search:
            rows = await screens.orders_found(tx, search, SIZE)
        else:
            rows = await screens.orders(
                tx, status=status, account_id=account_id, after=place_asked(visit), limit=SIZE + 1
            )
    return visit.render(
        "orders.html", part=part(visit, rows, "placed_at"), chosen=status, search=search, account_id=account_id,
        accounts=[account for account in known if (adapter := adapter_of(account.channel)) and adapter.orders],
    )  # fmt: skip


async def one(visit: Visit) -> web.Response:
    """Lines, money, buyer, what is reserved and what is short, parcels, timeline."""
    async with visit.tx() as tx:
        order = await orders.detail(tx, visit.id_in_path())
        if order is None:
            raise Problem(404)
        scans = await screens.scans(tx, [shipment["id"] for shipment in order["shipments"]])
        papers = await screens.papers(tx, order["id"])
    return visit.render(
        "order.html", order=order, told=order["told"], scans=_by("shipment_id", scans),
        held=_by("line_ref", order["reservations"]), short=_by("line_ref", order["shortages"]),
        units_short=sum(row["quantity"] for row in order["shortages"]),
        money=_money(order["told"]), document=_document(order["told"]), invoices=papers["invoices"],
        returns=papers["returns"],
    )  # fmt: skip


def _by(name: str, rows: Iterable[dict[str, Any]]) -> Mapping[object, list[dict[str, Any]]]:
    found: dict[object, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return found


MONEY = ("items_cents", "discount_cents", "shipping_cents", "other_cents")
AFTER_TOTAL = ("fees_cents", "channel_discount_cents", "refunded_cents")


def _money(told: Mapping[str, Any]) -> dict[str, int]:
    """The parts of an order's money that its channel told and that are not nothing."""
    return {name: told[name] for name in (*MONEY, *AFTER_TOTAL) if told.get(name)}


def _document(told: Mapping[str, Any]) -> str | None:
    """The buyer's CPF or CNPJ as people write it."""
    document = ((told.get("buyer") or {}).get("document")) or {}
    number = str(document.get("number") or "")
    if document.get("kind") == "cpf" and len(number) == 11:  # noqa: PLR2004 - the length of a CPF
        return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
    if document.get("kind") == "cnpj" and len(number) == 14:  # noqa: PLR2004 - the length of a CNPJ
        return f"{number[:2]}.{number[2:5]}.{number[5:8]}/{number[8:12]}-{number[12:]}"
    return number or None
