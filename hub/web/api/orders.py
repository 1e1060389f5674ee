"""Orders: listed newest first or in the order of their changes, one whole, and its timeline."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from hub.store import order_desk, orders, screens, walks
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import AskedInstant, ById, Code, Instant, Paging, Told
from hub.web.i18n import N_
from hub.web.order_story import story

TAG = "orders"
SETTLING = timedelta(seconds=5)  # a change may be committed that much after the instant that it bears
StatusWord = Literal["open", "late", "short", "placed", "paid", "dispatched", "delivered", "cancelled"]


class Document(Told):
    """A CPF or CNPJ."""

    kind: str
    number: str
    valid: bool


class Buyer(Told):
    """Who bought."""

    ref: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    document: Document | None = None


class Address(Told):
    """Where it goes."""

    recipient: str | None = None
    street: str | None = None
    number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Origin(Told):
    """Where a relayed order was born."""

    channel: str
    ref: str


class Line(Told):
    """One listing in an order."""

    ref: str
    listing_ref: str | None = None
    variation_ref: str | None = None
    sku: str | None = Field(default=None, description=N_("O código que o canal diz."))
    linked_sku: str | None = Field(default=None, description=N_("O nosso SKU, pelo vínculo do anúncio."))
    multiplier: int = Field(default=1, description=N_("Unidades do SKU em cada unidade vendida."))
    title: str | None = None
    quantity: int
    cancelled_quantity: int = 0
    dispatched_quantity: int = 0
    returned_quantity: int = 0
    total_cents: int | None = None
    fulfilled_by: str | None = None


class LineQuantity(Told):
    """So many units of a line."""

    line_ref: str
    quantity: int


class Parcel(Told):
    """A parcel as the order's channel tells it; no lines means the whole order."""

    ref: str
    carrier: str | None = None
    service: str | None = None
    tracking_code: str | None = None
    tracking_url: str | None = None
    status: str | None = None
    lines: list[LineQuantity] = Field(default=[])


class ReturnLine(LineQuantity):
    """Units that come back."""

    disposition: str | None = None


class OrderReturn(Told):
    """Goods coming back."""

    ref: str
    status: str | None = None
    lines: list[ReturnLine] = Field(default=[])


class Invoice(Told):
    """An NF-e."""

    key: str | None = None
    number: str | None = None
    series: str | None = None
    issued_at: Instant | None = None
    total_cents: int | None = None
    status: str | None = None


class Order(Told):
    """An order as the hub knows it."""

    id: UUID
    account_id: UUID
    account: str
    channel: str
    ref: str
    number: str | None = None
    group_ref: str | None = None
    origin: Origin | None = None
    status: str
    payment: str | None = None
    fulfilment: str | None = None
    hold: str | None = None
    fulfilled_by: str | None = None
    raw_status: dict[str, Any] = Field(default={}, description=N_("As palavras do próprio canal."))
    placed_at: Instant | None = None
    paid_at: Instant | None = None
    cancelled_at: Instant | None = None
    changed_at: Instant | None = Field(default=None, description=N_("Quando mudou no canal."))
    updated_at: Instant = Field(description=N_("Quando mudou aqui: é por ele que updated_since filtra."))
    ship_by: Instant | None = None
    deliver_by: Instant | None = None
    currency: str
    items_cents: int | None = None
    discount_cents: int | None = None
    shipping_cents: int | None = None
    other_cents: int | None = None
    fees_cents: int | None = None
    channel_discount_cents: int | None = None
    total_cents: int | None = None
    refunded_cents: int | None = None
    short: int = Field(description=N_("Unidades vendidas que faltam."))
    ship_state: str | None = Field(default=None, description=N_("A UF do destino."))
    buyer: Buyer | None = Field(default=None, description=N_("Só com o escopo customers:read; senão null."))
    ship_to: Address | None = Field(default=None, description=N_("Só com o escopo customers:read; senão null."))
    lines: list[Line] = Field(default=[])
    shipments: list[Parcel] = Field(default=[])
    returns: list[OrderReturn] = Field(default=[])
    invoices: list[Invoice] = Field(default=[])


class Held(Told):
    """Units that a line holds in a warehouse."""

    line_ref: str
    sku: str
    warehouse: str
    quantity: int


class Lacking(Told):
    """Units that a line lacks."""

    line_ref: str
    sku: str
    quantity: int


class WholeOrder(Order):
    """An order with what it holds and lacks."""

    reservations: list[Held]
    shortages: list[Lacking]


class Moment(Told):
    """One line of an order's story."""

    at: Instant
    kind: str = Field(description=N_("event, notice, scan, movement ou mail"))
    title: str
    detail: str | None
    revoked: bool


class Timeline(Told):
    """An order's story, newest first."""

    data: list[Moment]


class Wanted(Paging):
    """Which orders to list."""

    sort: Literal["placed", "updated"] = Field(
        default="placed",
        description=N_("placed: os mais novos primeiro. updated: na ordem em que mudaram, para acompanhar mudanças."),
    )
    updated_since: AskedInstant | None = Field(default=None, description=N_("Os que mudaram aqui desde então."))
    status: StatusWord | None = None
    account: UUID | None = Field(default=None, description=N_("O id da conta."))
    number: Code | None = Field(default=None, description=N_("O número que a pessoa vê, ou o ref do canal."))


Place = tuple[Literal["placed", "updated"], datetime, UUID]


async def every(call: Call) -> Answer:
    """Whole orders, by cursor."""
    wanted, after = call.query(Wanted), call.after
    if after is not None and after[0] != wanted.sort:
        raise wrong("cursor", N_("Este cursor é de outra ordenação: comece de novo."))
    async with call.tx() as tx:
        rows = await walks.orders(
            tx, by=wanted.sort, after=after and after[1:], limit=call.limit, until=call.now - SETTLING, now=call.now,
            since=wanted.updated_since, status=wanted.status, account_id=wanted.account, number=wanted.number,
        )  # fmt: skip
        links = await walks.linked_lines(tx, [row["id"] for row in rows])
    told = [{**row, "sort": wanted.sort, "links": links} for row in rows]
    return call.part(told, lambda row: Order.model_validate(_facts(call, row)), "sort", f"{wanted.sort}_at", "id")


def _facts(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    """An order's row as `Order` has it: what was told, under what the hub says itself; people only where allowed."""
    told = dict(row["told"])
    if not call.may("customers:read"):
        told |= {"buyer": None, "ship_to": None}
    lines = [_line(line, row["links"].get((row["id"], line["ref"]), (None, 1))) for line in told.get("lines", ())]
    ours = {name: row[name] for name in ("id", "account_id", "account", "channel", "status", "placed_at", "updated_at",
                                         "ship_by", "currency", "short", "ship_state")}  # fmt: skip
    return {**told, **ours, "lines": lines}


def _line(line: Mapping[str, Any], link: tuple[str | None, int]) -> dict[str, Any]:
    return {**line, "linked_sku": link[0], "multiplier": link[1]}


async def one(call: Call) -> Answer:
    """One order with what it holds and lacks."""
    id_ = call.path(ById).id
    async with call.tx() as tx:
        row = await orders.detail(tx, id_)
    if row is None:
        raise missing()
    links = {(id_, line["ref"]): (line["sku"], line["multiplier"]) for line in row["lines"]}
    short = sum(each["quantity"] for each in row["shortages"])
    holds = {name: row[name] for name in ("reservations", "shortages")}
    return WholeOrder.model_validate({**_facts(call, {**row, "links": links, "short": short}), **holds})


async def timeline(call: Call) -> Answer:
    """Everything that was told, done and scanned."""
    id_ = call.path(ById).id
    async with call.tx() as tx:
        order = await orders.detail(tx, id_)
        if order is None:
            raise missing()
        rows: dict[str, Sequence[Mapping[str, Any]]] = {
            "events": order["events"],
            "notices": await order_desk.notices(tx, id_),
            "scans": await screens.scans(tx, [each["id"] for each in order["shipments"]]),
            "movements": await order_desk.movements(tx, id_),
            # Why a mail did not leave may name its address.
            "mails": await order_desk.mails(tx, id_) if call.may("customers:read") else [],
        }
    none: dict[str, Sequence[Mapping[str, Any]]] = dict.fromkeys(rows, ())
    told = [
        Moment(at=m.at, kind=kind.removesuffix("s"), title=m.title, detail=m.detail, revoked=m.struck)
        for kind, some in rows.items()
        for m in story(call.language, **{**none, kind: some})
    ]
    return Timeline(data=sorted(told, key=lambda moment: moment.at, reverse=True))


OPERATIONS = (
    Operation(
        name="list_orders", method="GET", path="/orders", handler=every, scope="orders:read", tag=TAG,
        summary=N_("Pedidos de todos os canais"),
        description=N_(
            "Para acompanhar mudanças: sort=updated com updated_since do último updated_at que viu; o que mudou nos "
            "últimos 5 segundos vem na próxima vez."
        ),
        answer=Order, query=Wanted, place=Place,
    ),
    Operation(
        name="get_order", method="GET", path="/orders/{id}", handler=one, scope="orders:read", tag=TAG,
        summary=N_("Um pedido, com o que reserva e o que lhe falta"), answer=WholeOrder, named=ById,
    ),
    Operation(
        name="get_order_timeline", method="GET", path="/orders/{id}/timeline", handler=timeline, scope="orders:read",
        tag=TAG, summary=N_("Tudo o que aconteceu com um pedido"), answer=Timeline, named=ById,
    ),
)  # fmt: skip
