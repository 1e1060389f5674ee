"""A store in memory, for sandboxes: its shelves, its buyers, its orders and what changed when.

A channel's sandbox inherits it and dresses it in that channel's own API, words and webhooks.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from hub.sandbox import Courier, Knobs, Product, make_app

T = TypeVar("T")
SHIPPING_CENTS = 1590


@dataclass(frozen=True, slots=True)
class Person:
    """A buyer with everything that a Brazilian order tells; the CPF's check digits are right."""

    name: str
    cpf: str
    email: str
    phone: str
    street: str
    number: str
    complement: str
    district: str
    city: str
    state: str
    state_name: str
    postal_code: str


PEOPLE = (
    Person("Maria da Silva", "52998224725", "maria@example.com", "11987650001", "Rua das Acácias", "120", "Apto 31",
           "Vila Mariana", "São Paulo", "SP", "São Paulo", "04101000"),
    Person("João Souza", "11144477735", "joao@example.com", "21987650002", "Avenida Atlântica", "900", "",
           "Copacabana", "Rio de Janeiro", "RJ", "Rio de Janeiro", "22021001"),
    Person("Ana Oliveira", "39053344705", "ana@example.com", "31987650003", "Rua da Bahia", "77", "Casa 2",
           "Centro", "Belo Horizonte", "MG", "Minas Gerais", "30160010"),
    Person("Pedro Santos", "15350946056", "pedro@example.com", "41987650004", "Rua XV de Novembro", "15", "",
           "Centro", "Curitiba", "PR", "Paraná", "80020310"),
    Person("Luiza Costa", "86288366757", "luiza@example.com", "71987650005", "Ladeira do Pelourinho", "3", "Fundos",
           "Pelourinho", "Salvador", "BA", "Bahia", "40026280"),
)  # fmt: skip


@dataclass(slots=True)
class Item:
    """A sellable thing; those with one `parent` number are its variations. `family` is that parent's title."""

    id: int
    sku: str
    title: str
    units: int
    price_cents: int
    changed: datetime
    gtin: str | None = None
    parent: int | None = None
    family: str | None = None
    managed_by: str = "seller"
    reserved: int = 0  # of a physical store: sold and not yet sent
    live: bool = True

    @property
    def free(self) -> int:
        """What a buyer can buy."""
        return max(0, self.units - self.reserved) if self.live else 0


@dataclass(slots=True)
class Line:
    """One line of an order."""

    id: int
    item: Item
    quantity: int
    cents: int  # of one unit
    cancelled: int = 0
    returned: int = 0
    holds: int = 0  # units that it keeps off the shelf (or reserved there)


@dataclass(slots=True)
class Sale:
    """An order. `stage`: placed, paid, dispatched, delivered, returned or cancelled; `extra` is the channel's own."""

    id: int
    stage: str
    buyer: Person
    lines: list[Line]
    created: datetime
    changed: datetime
    paid: datetime | None = None
    dispatched: datetime | None = None
    delivered: datetime | None = None
    cancelled: datetime | None = None
    tracking: str | None = None
    version: int = 0  # counts its changes
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def items_cents(self) -> int:
        """As ordered, cancelled units included."""
        return sum(line.cents * line.quantity for line in self.lines)

    @property
    def total_cents(self) -> int:
        """What the buyer pays, shipping included."""
        return self.items_cents + SHIPPING_CENTS


def utc_now() -> datetime:
    """Real time."""
    return datetime.now(UTC)


class Store:
    """Shelves, buyers and orders. Inherit it: routes in `__init__`, then `add_controls(self)`.

    `physical`: a sale reserves and only sending takes the units away; else a sale takes them at once. `takes_unpaid`:
    whether an unpaid order takes (or reserves) too. What changes is handed to `sale_changed` and `item_changed`.
    """

    physical = False
    takes_unpaid = True

    def __init__(
        self,
        products: Sequence[Product],
        seed: int = 0,
        *,
        now: Callable[[], datetime] = utc_now,
        first_id: int = 1000,
    ) -> None:
        self.chance, self.now = random.Random(seed), now
        self.knobs = Knobs()
        self.courier = Courier(self.knobs, random.Random(seed + 1))
        self.app = make_app(self.knobs, self.courier, self.chance)
        self.next_id = first_id
        self.base = "http://127.0.0.1"
        self.items: dict[int, Item] = {}
        self.by_sku: dict[str, Item] = {}
        self.sales: dict[int, Sale] = {}
        self._by_change: dict[int, Sale] = {}  # oldest change first
        families: dict[str, int] = {}
        for product in products:
            parent = None
            if product.parent:
                parent = families.get(product.parent) or families.setdefault(product.parent, self.new_id())
            self._shelve(product, parent)

    # ── What a channel says of it ───────────────────────────────────────────────────────────────────────────

    def word(self, sale: Sale) -> str:
        """The channel's own status word of an order."""
        return sale.stage

    def ref(self, sale: Sale) -> str:
        """The id that the channel's fetch takes."""
        return str(sale.id)

    def sale_changed(self, sale: Sale, event: str) -> None:
        """`event`: created, paid, cancelled, changed, dispatched, delivered or returned. Webhooks start here."""

    def item_changed(self, item: Item) -> None:
        """The stock of an item moved."""

    def extra_act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """An act that only this channel knows; LookupError for an unknown one."""
        del wanted
        raise LookupError(f"no such act: {verb}")

    # ── What the demo and the tests ask ─────────────────────────────────────────────────────────────────────

    def shelf(self) -> dict[str, int]:
        """What a buyer can buy, by SKU; marketplace-fulfilled ones left out."""
        return {sku: item.free for sku, item in self.by_sku.items() if item.managed_by == "seller"}

    def orders(self) -> dict[str, str]:
        """The channel's word of each order, by ref."""
        return {self.ref(sale): self.word(sale) for sale in self.sales.values()}

    async def act(self, verb: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """buy, pay, cancel (all, or {lines: [{sku, quantity}]}), dispatch, deliver, return."""
        if verb == "buy":
            return {"order_ref": self.ref(self.buy(wanted["lines"], pay=wanted.get("pay", True)))}
        step = _STEPS.get(verb)
        if step is None:
            return self.extra_act(verb, wanted)
        sale = self.sale_of(wanted["order_ref"])
        step(self, sale, wanted)
        return {"order_ref": self.ref(sale), "status": self.word(sale)}

    # ── Shelves ─────────────────────────────────────────────────────────────────────────────────────────────

    def new_id(self) -> int:
        """The next number; items, orders and lines share one row of them."""
        self.next_id += 1
        return self.next_id

    def _shelve(self, product: Product, parent: int | None) -> None:
        item = Item(
            id=self.new_id(),
            sku=product.sku,
            title=product.title,
            units=product.quantity,
            price_cents=product.price_cents,
            changed=self.now(),
            gtin=product.gtin,
            parent=parent,
            family=product.parent,
            managed_by=product.managed_by,
        )
        self.items[item.id] = item
        self.by_sku[item.sku] = item

    def set_units(self, item: Item, units: int) -> None:
        """An absolute write by the channel's API, or by the seller's hand."""
        item.units = units
        self._touch(item)

    def _touch(self, item: Item) -> None:
        item.changed = self.now()
        self.item_changed(item)

    def _take(self, line: Line, units: int) -> None:
        """Keep units for a line; below zero gives back."""
        if units:
            line.holds += units
            if self.physical:
                line.item.reserved += units
            else:
                line.item.units -= units
            self._touch(line.item)

    def _send(self, line: Line) -> None:
        if self.physical and line.holds:
            line.item.reserved -= line.holds
            line.item.units -= line.holds
            self._touch(line.item)
        line.holds = 0

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────

    def sale_of(self, ref: object) -> Sale:
        """The order of a ref; LookupError "unknown_order"."""
        sale = self.sales.get(int(str(ref))) if str(ref).isdecimal() else None
        if sale is None:
            raise LookupError("unknown_order")
        return sale

    def changed_since(self, after: datetime | None = None) -> Iterator[Sale]:
        """Orders changed at or after an instant, oldest change first."""
        for sale in list(self._by_change.values()):
            if after is None or sale.changed >= after:
                yield sale

    def buy(self, lines: Sequence[Mapping[str, Any]], *, pay: bool) -> Sale:
        """A buyer's order; LookupError "sold_out" or "unknown_sku"."""
        asked: dict[str, int] = {}
        for line in lines:
            item, units = self.by_sku.get(line["sku"]), int(line.get("quantity", 1))
            if item is None:
                raise LookupError("unknown_sku")
            asked[item.sku] = asked.get(item.sku, 0) + units
            if asked[item.sku] > item.free:
                raise LookupError("sold_out")
        at = self.now()
        sale = Sale(
            id=self.new_id(),
            stage="placed",
            buyer=self.chance.choice(PEOPLE),
            lines=[
                Line(self.new_id(), self.by_sku[sku], units, self.by_sku[sku].price_cents)
                for sku, units in asked.items()
            ],
            created=at,
            changed=at,
        )
        self.sales[sale.id] = sale
        if self.takes_unpaid:
            self._hold(sale)
        self._changed(sale, "created")
        if pay:
            self.pay(sale)
        return sale

    def _hold(self, sale: Sale) -> None:
        for line in sale.lines:
            self._take(line, line.quantity - line.cancelled - line.holds)

    def _changed(self, sale: Sale, event: str) -> None:
        sale.changed = max(self.now(), sale.changed)
        sale.version += 1
        self._by_change.pop(sale.id, None)
        self._by_change[sale.id] = sale
        self.sale_changed(sale, event)

    def pay(self, sale: Sale) -> None:
        """The money came."""
        if sale.stage != "placed":
            raise LookupError(f"not_payable: {sale.stage}")
        sale.stage, sale.paid = "paid", self.now()
        self._hold(sale)
        self._changed(sale, "paid")

    def cancel(self, sale: Sale, units: Mapping[str, int] | None = None) -> None:
        """Cancel the order, or so many units by SKU; what had not left is given back."""
        if sale.stage not in ("placed", "paid"):
            raise LookupError(f"not_cancellable: {sale.stage}")
        for line in sale.lines:
            left = line.quantity - line.cancelled
            count = left if units is None else min(left, units.get(line.item.sku, 0))
            line.cancelled += count
            self._take(line, -min(count, line.holds))
        whole = all(line.cancelled == line.quantity for line in sale.lines)
        if whole:
            sale.stage, sale.cancelled = "cancelled", self.now()
        self._changed(sale, "cancelled" if whole else "changed")

    def dispatch(self, sale: Sale, tracking: str | None = None) -> None:
        """The parcel left; a code that is told later is only added."""
        if sale.stage not in ("paid", "dispatched"):
            raise LookupError(f"not_ready: {sale.stage}")
        for line in sale.lines:
            self._send(line)
        sale.stage, sale.dispatched = "dispatched", sale.dispatched or self.now()
        sale.tracking = tracking or sale.tracking
        self._changed(sale, "dispatched")

    def deliver(self, sale: Sale) -> None:
        """It arrived."""
        if sale.stage not in ("dispatched", "delivered"):
            raise LookupError(f"not_sent: {sale.stage}")
        sale.stage, sale.delivered = "delivered", sale.delivered or self.now()
        self._changed(sale, "delivered")

    def give_back(self, sale: Sale) -> None:
        """The buyer sent it back and has the money again; the shelf is the seller's own affair."""
        if sale.stage not in ("dispatched", "delivered"):
            raise LookupError(f"not_sent: {sale.stage}")
        sale.stage = "returned"
        for line in sale.lines:
            line.returned = line.quantity - line.cancelled
        self._changed(sale, "returned")

    # ── For routes and webhooks ─────────────────────────────────────────────────────────────────────────────

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Something to do beside the answer; the courier counts it as under way."""
        task = asyncio.get_running_loop().create_task(work)
        self.courier.under_way.add(task)
        task.add_done_callback(self.courier.under_way.discard)


def page_of(rows: Sequence[T], page: int, size: int) -> Sequence[T]:
    """Page number `page`, counted from 1."""
    return rows[(page - 1) * size : page * size]


def _cancel(store: Store, sale: Sale, wanted: Mapping[str, Any]) -> None:
    lines = wanted.get("lines")
    store.cancel(sale, {line["sku"]: int(line["quantity"]) for line in lines} if lines else None)


_STEPS: dict[str, Callable[[Store, Sale, Mapping[str, Any]], None]] = {
    "pay": lambda store, sale, _wanted: store.pay(sale),
    "cancel": _cancel,
    "dispatch": lambda store, sale, wanted: store.dispatch(sale, wanted.get("tracking_code")),
    "deliver": lambda store, sale, _wanted: store.deliver(sale),
    "return": lambda store, sale, _wanted: store.give_back(sale),
}
