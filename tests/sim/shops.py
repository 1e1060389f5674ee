"""Fake channels: a shelf that sells by itself, documents with a coarse clock, notices that get lost, faults."""

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pydantic import SecretStr

from hub.contract import (
    Adapter,
    Api,
    Credentials,
    Identity,
    Kind,
    ListingSource,
    OrderSource,
    Page,
    StockSink,
    Token,
    TokenSource,
    json_of,
)
from hub.faults import ChannelError, Fault, Unreadable
from hub.model import (
    Disposition,
    FulfilledBy,
    Fulfilment,
    Listing,
    ListingStatus,
    ManagedBy,
    Notice,
    Order,
    OrderLine,
    Outcome,
    OutcomeKind,
    Payment,
    Raw,
    Reply,
    Request,
    Return,
    ReturnLine,
    StockWrite,
    Topic,
)

OVERLAP = timedelta(seconds=5)
LATEST = 25
JOURNAL = 4000  # lines that a shop remembers


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a channel is like."""

    name: str
    kind: Kind
    fat: bool  # its notices carry the whole document, as it was when they were made
    compare_and_set: bool = False
    batch: int = 1
    latest: bool = False  # tells its newest orders in one request
    documents: bool = True  # its polls tell documents; else refs
    tokens: bool = False
    coarse: bool = False  # its clock tells whole seconds
    skew: float = 0.0  # seconds that its clock is ahead
    restocks: bool = True  # puts cancelled units back on its own shelf
    tells_stock: bool = False  # sends notices of stock, of our own writes too


TRAITS = (
    Traits(name="alfa", kind=Kind.STOREFRONT, fat=True, coarse=True, skew=-0.6, latest=True),
    Traits(
        name="beta", kind=Kind.MARKETPLACE, fat=False, compare_and_set=True, documents=False, tokens=True, skew=0.7,
        tells_stock=True,
    ),
    Traits(
        name="gama", kind=Kind.MARKETPLACE, fat=False, batch=5, latest=True, coarse=True, restocks=False,
        tells_stock=True,
    ),
)  # fmt: skip


@dataclass(slots=True)
class Line:
    """One line of an order at the channel."""

    ref: str
    item: str
    quantity: int
    cancelled: int = 0
    dispatched: int = 0
    returned: int = 0
    damaged: int = 0  # of those returned
    theirs: bool = False  # the marketplace fulfils it

    @property
    def open(self) -> int:
        """Units that are to be sent."""
        return self.quantity - self.cancelled - self.dispatched


@dataclass(slots=True)
class Sale:
    """An order at the channel."""

    ref: str
    lines: list[Line]
    placed: datetime
    updated: datetime
    paid: bool = False
    cancelled: bool = False
    delivered: bool = False


@dataclass(slots=True)
class Books:
    """Units of one listing in sales that are over."""

    quantity: int = 0
    cancelled: int = 0
    dispatched: int = 0
    returned: int = 0


@dataclass(slots=True)
class Item:
    """A listing with its shelf."""

    ref: str
    sku: str
    shelf: int
    version: int = 1
    theirs: bool = False


@dataclass(slots=True)
class Weather:
    """How badly a channel behaves: chances for each request or notice."""

    refuse: float = 0.0  # 429
    fail: float = 0.0  # 5xx, before or after doing it
    hang: float = 0.0  # no answer within the deadline, done or not
    cut: float = 0.0  # no connection
    late: float = 0.0  # done some seconds after it came
    lose: float = 0.0  # notices
    double: float = 0.0
    slow: float = 0.5  # mean seconds that a notice takes


@dataclass(slots=True)
class Shop:
    """One channel account."""

    traits: Traits
    random: random.Random
    utc: Callable[[], datetime]
    tell: Callable[["Shop", Notice], None]
    weather: Weather = field(default_factory=Weather)
    usual: Weather = field(default_factory=Weather)
    tells_stock: bool = False
    items: dict[str, Item] = field(default_factory=dict)
    sales: dict[str, Sale] = field(default_factory=dict)  # those that are under way, the last changed one last
    counted: Counter[str] = field(default_factory=Counter)
    access: set[str] = field(default_factory=set)
    refresh: str = "refresh-0"
    closed: dict[str, Books] = field(default_factory=dict)  # by listing: what sales that are over came to
    journal: deque[str] = field(default_factory=lambda: deque(maxlen=JOURNAL))
    _latest: deque[Sale] = field(default_factory=lambda: deque(maxlen=LATEST))
    under_way: set["asyncio.Task[Any]"] = field(default_factory=set)
    _number: int = 0

    # ── what people do there ───────────────────────────────────────────────────────────────────────────────────

    def clock(self) -> datetime:
        """What its own clock tells."""
        at = self.utc() + timedelta(seconds=self.traits.skew)
        return at.replace(microsecond=0) if self.traits.coarse else at

    def buy(self, wanted: Sequence[tuple[str, int]]) -> Sale | None:
        """A buyer's order; None when it does not show enough of something."""
        if any(ref not in self.items or self.items[ref].shelf < quantity for ref, quantity in wanted):
            self.counted["sold out"] += 1
            return None
        self._number += 1
        now = self.clock()
        lines = [
            Line(str(n), ref, quantity, theirs=self.items[ref].theirs)
            for n, (ref, quantity) in enumerate(wanted, start=1)
        ]
        sale = Sale(f"{self.traits.name}-{self._number}", lines, now, now)
        self._latest.append(sale)
        for ref, quantity in wanted:
            self._shelf(ref, -quantity, f"sale {sale.ref}")
        self.counted["sales"] += 1
        self.changed(sale)
        return sale

    def pay(self, sale: Sale) -> bool:
        if sale.paid or sale.cancelled:
            return False
        sale.paid = True
        self.changed(sale)
        return True

    def cancel(self, sale: Sale) -> bool:
        if sale.cancelled or any(line.dispatched for line in sale.lines):
            return False
        sale.cancelled = True
        for line in sale.lines:
            self._back(line, line.open, f"cancel {sale.ref}")
            line.cancelled = line.quantity
        self.changed(sale)
        return True

    def cancel_part(self, sale: Sale, line: Line) -> bool:
        """One unit less of a line, while nothing of the order was sent."""
        if sale.cancelled or any(each.dispatched for each in sale.lines) or line.open < 2:
            return False
        line.cancelled += 1
        self._back(line, 1, f"cancel one of {sale.ref}")
        self.changed(sale)
        return True

    def edit(self, sale: Sale, line: Line, change: int) -> bool:
        """More or fewer units of a line, while nothing was sent."""
        if sale.cancelled or any(each.dispatched for each in sale.lines) or line.open + change < 1:
            return False
        if change > self.items[line.item].shelf:
            return False
        line.quantity += change
        if change > 0:
            self._shelf(line.item, -change, f"edit {sale.ref}")
        else:
            self._back(line, -change, f"edit {sale.ref}")
        self.changed(sale)
        return True

    def dispatch(self, sale: Sale, *, part: bool) -> list[tuple[Line, int]]:
        """Send what is open, or one unit less of the first line; answers what left."""
        if sale.cancelled or not sale.paid:
            return []
        left = []
        for number, line in enumerate(sale.lines):
            units = line.open - (1 if part and number == 0 and line.open else 0)
            if units > 0:
                line.dispatched += units
                left.append((line, units))
        if left:
            self.changed(sale)
        return left

    def deliver(self, sale: Sale) -> bool:
        if sale.delivered or not sale.lines or any(line.open for line in sale.lines) or sale.cancelled:
            return False
        sale.delivered = True
        self.changed(sale)
        return True

    def give_back(self, sale: Sale, line: Line, *, damaged: bool) -> bool:
        """One unit of a delivered line is back on the seller's shelf, or among what cannot be sold again."""
        if not sale.delivered or line.returned >= line.dispatched:
            return False
        line.returned += 1
        line.damaged += damaged
        self.changed(sale)
        return True

    def _back(self, line: Line, units: int, why: str) -> None:
        if self.traits.restocks and units:
            self._shelf(line.item, units, why)

    def _shelf(self, ref: str, change: int, why: str) -> None:
        item = self.items[ref]
        item.shelf += change
        item.version += 1
        self.note(f"{ref} {item.shelf - change} -> {item.shelf} {why}")
        self._tell_stock(ref)

    def close(self, sale: Sale) -> None:
        """A sale is over: only its numbers are kept, as nothing asks for it any more."""
        del self.sales[sale.ref]
        for line in sale.lines:
            books = self.closed.setdefault(line.item, Books())
            books.quantity += line.quantity
            books.cancelled += line.cancelled
            books.dispatched += line.dispatched
            books.returned += line.returned

    def note(self, what: str) -> None:
        """Remember for the story of a failure."""
        self.journal.append(f"{self.utc():%M:%S.%f}"[:9] + f" {self.traits.name}: {what}")

    # ── notices ────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, sale: Sale) -> None:
        """Stamp an order and tell it."""
        sale.updated = max(sale.updated, self.clock())
        self.sales.pop(sale.ref, None)
        self.sales[sale.ref] = sale
        raw = self.document(sale) if self.traits.fat else None
        key = f"order:{sale.ref}" if raw is None else f"order:{sale.ref}:{json.dumps(raw, sort_keys=True)}"
        self._post(Notice(topic=Topic.ORDER, ref=sale.ref, dedupe_key=key, raw=raw, at=self.clock()))

    def _tell_stock(self, ref: str) -> None:
        if self.tells_stock:
            self._post(Notice(topic=Topic.STOCK, ref=ref, dedupe_key=f"stock:{ref}", at=self.clock()))

    def _post(self, notice: Notice) -> None:
        if self.random.random() < self.weather.lose:
            self.counted["lost notices"] += 1
            return
        copies = 1 + (self.random.random() < self.weather.double)
        self.counted["doubled notices"] += copies - 1
        for _ in range(copies):
            self._later(self.random.expovariate(1 / self.weather.slow), notice)

    def _later(self, seconds: float, notice: Notice) -> None:
        async def post() -> None:
            await asyncio.sleep(seconds)
            self.tell(self, notice)

        self._keep(asyncio.ensure_future(post()))

    def _keep(self, task: "asyncio.Task[Any]") -> None:
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    # ── its API ────────────────────────────────────────────────────────────────────────────────────────────────

    def document(self, sale: Sale) -> Raw:
        """An order as JSON."""
        return {
            "id": sale.ref,
            "placed": sale.placed.isoformat(),
            "updated": sale.updated.isoformat(),
            "paid": sale.paid,
            "cancelled": sale.cancelled,
            "delivered": sale.delivered,
            "lines": [
                {
                    "id": line.ref, "item": line.item, "sku": self.items[line.item].sku, "quantity": line.quantity,
                    "cancelled": line.cancelled, "dispatched": line.dispatched, "returned": line.returned,
                    "damaged": line.damaged, "theirs": line.theirs,
                }
                for line in sale.lines
            ],
        }  # fmt: skip

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """One request: it takes its time there, may be done late or not at all, and its answer may get lost."""
        chance, weather = self.random.random, self.weather
        await asyncio.sleep(self.random.expovariate(1 / 0.03))
        if chance() < weather.cut:
            self.counted["cut"] += 1
            raise httpx.ConnectError("no connection", request=request)
        if chance() < weather.refuse:
            self.counted["429"] += 1
            return httpx.Response(429, headers={"retry-after": str(self.random.randint(1, 8))})
        failing, hanging = chance() < weather.fail, chance() < weather.hang
        done = chance() < 0.5
        late = self.random.uniform(1, 9.5) if chance() < weather.late else 0.0
        self.counted["late"] += late > 0
        if failing and not done:
            self.counted["5xx, not done"] += 1
            return httpx.Response(self.random.choice((500, 502, 503)))
        if hanging and not done:
            self.counted["hung, not done"] += 1
            await asyncio.sleep(60)
        # What has reached the channel happens there, whoever has stopped waiting for it.
        task = asyncio.ensure_future(self._carry_out(request, late))
        self._keep(task)
        response = await asyncio.shield(task)
        if failing:
            self.counted["5xx, done"] += 1
            return httpx.Response(self.random.choice((500, 502, 504)))
        if hanging:
            self.counted["hung, done"] += 1
            await asyncio.sleep(60)
        await asyncio.sleep(self.random.expovariate(1 / 0.03))
        return response

    async def _carry_out(self, request: httpx.Request, late: float) -> httpx.Response:
        await asyncio.sleep(late)
        self.counted["requests"] += 1
        path = request.url.path.strip("/").split("/")
        told = json.loads(request.content) if request.content else {}
        if self.traits.tokens and path[0] != "token":
            shown = request.headers.get("authorization", "").removeprefix("Bearer ")
            if shown not in self.access:
                self.counted["401"] += 1
                return httpx.Response(401, json={"message": "expired"})
        match request.method, path:
            case "POST", ["token"]:
                return self._token(told)
            case "GET", ["orders"]:
                return self._orders(dict(parse_qsl(request.url.query.decode())))
            case "GET", ["orders", ref]:
                sale = self.sales.get(ref)
                return httpx.Response(200, json=self.document(sale)) if sale else httpx.Response(404)
            case "GET", ["items"]:
                return httpx.Response(200, json=[self._item(item) for item in self.items.values()])
            case "GET", ["items", ref]:
                return httpx.Response(200, json=self._item(self.items[ref]))
            case "PUT", ["stock"]:
                return httpx.Response(200, json=[self._put(row) for row in told["rows"]])
        return httpx.Response(404)

    def _token(self, told: Mapping[str, Any]) -> httpx.Response:
        if told["refresh"] != self.refresh:
            return httpx.Response(403, json={"message": "invalid_grant"})
        number = len(self.access) + self.random.randrange(1, 10**9)
        self.refresh = f"refresh-{number}"
        self.access = {f"access-{number}"}
        return httpx.Response(200, json={"access": f"access-{number}", "refresh": self.refresh, "seconds": 3600})

    def _orders(self, asked: Mapping[str, str]) -> httpx.Response:
        if "latest" in asked:
            return httpx.Response(200, json=[self.document(sale) for sale in self._latest])
        since = datetime.fromisoformat(asked["since"]) if "since" in asked else datetime.min.replace(tzinfo=UTC)
        found = list(takewhile(lambda sale: sale.updated >= since, reversed(self.sales.values())))
        return httpx.Response(200, json=[self.document(sale) for sale in reversed(found)])

    def _item(self, item: Item) -> Raw:
        return {
            "ref": item.ref, "sku": item.sku, "stock": item.shelf, "version": str(item.version), "theirs": item.theirs,
        }  # fmt: skip

    def _put(self, row: Mapping[str, Any]) -> Raw:
        item = self.items[row["ref"]]
        if row.get("version") is not None and row["version"] != str(item.version):
            self.counted["stale"] += 1
            return {"ref": item.ref, "stale": True}
        self.counted["writes"] += 1
        before, item.shelf = item.shelf, row["quantity"]
        item.version += 1
        self.note(f"{item.ref} {before} -> {item.shelf} our write")
        self._tell_stock(item.ref)
        return {"ref": item.ref, "stock": item.shelf, "version": str(item.version)}

    def expire(self) -> None:
        """Its tokens die before their time."""
        self.access = set()
        self.counted["tokens died"] += 1


# ── the adapter ────────────────────────────────────────────────────────────────────────────────────────────────


class ShopCredentials(Credentials):
    """A key, and where tokens are used the first refresh token."""

    shop: str
    refresh: SecretStr

    def base_url(self) -> str:
        return f"http://{self.shop}.test"

    def headers(self) -> Mapping[str, str]:
        return {} if self.shop == "beta" else {"x-key": "static"}


def parse(raw: Raw) -> Order:
    """An order out of our JSON. A wholly returned one goes as delivered: a shop does not put it on its shelf."""
    lines = tuple(
        OrderLine(
            ref=row["id"], listing_ref=row["item"], sku=None, title=row["sku"], quantity=row["quantity"],
            cancelled_quantity=row["cancelled"], dispatched_quantity=row["dispatched"],
            returned_quantity=row["returned"], total_cents=1000 * row["quantity"],
            fulfilled_by=FulfilledBy.MARKETPLACE if row["theirs"] else FulfilledBy.SELLER,
        )
        for row in raw["lines"]
    )  # fmt: skip
    open_ = sum(row["quantity"] - row["cancelled"] - row["dispatched"] for row in raw["lines"])
    sent = sum(row["dispatched"] for row in raw["lines"])
    fulfilment = Fulfilment.NONE
    if sent:
        fulfilment = Fulfilment.PARTIAL if open_ else Fulfilment.DISPATCHED
    if raw["delivered"]:
        fulfilment = Fulfilment.DELIVERED
    back = tuple(
        ReturnLine(line_ref=row["id"], quantity=units, disposition=disposition)
        for row in raw["lines"]
        for units, disposition in (
            (row["returned"] - row["damaged"], Disposition.SELLABLE),
            (row["damaged"], Disposition.DAMAGED),
        )
        if units
    )
    keepers = {line.fulfilled_by for line in lines}
    updated = datetime.fromisoformat(raw["updated"])
    return Order.model_validate(
        {
            "ref": raw["id"], "payment": Payment.PAID if raw["paid"] else Payment.PENDING, "fulfilment": fulfilment,
            "cancelled": raw["cancelled"], "cancelled_at": updated if raw["cancelled"] else None,
            "fulfilled_by": FulfilledBy.MIXED if len(keepers) > 1 else keepers.pop(),
            "placed_at": datetime.fromisoformat(raw["placed"]), "changed_at": updated,
            "lines": lines, "returns": (Return(ref="r", lines=back),) if back else (), "clocks": {"order": updated},
        },
        strict=False,
    )  # fmt: skip


def _listing(raw: Raw) -> Listing:
    return Listing(
        ref=raw["ref"], slot_ref=raw["ref"], sku=raw["sku"], title=raw["sku"], status=ListingStatus.ACTIVE,
        quantity=raw["stock"], stock_quantity=raw["stock"], version=raw["version"],
        managed_by=ManagedBy.MARKETPLACE if raw["theirs"] else ManagedBy.SELLER,
    )  # fmt: skip


async def _fetch(api: Api, ref: str) -> Raw:
    return json_of(await api.call(Request(method="GET", path=f"/orders/{ref}")))


async def _look(api: Api, writes: Sequence[StockWrite]) -> list[Listing | None]:
    return [_listing(json_of(await api.call(Request(method="GET", path=f"/items/{w.slot_ref}")))) for w in writes]


async def _pages(api: Api, cursor: str | None) -> Page:
    return Page(documents=tuple(json_of(await api.call(Request(method="GET", path="/items")))))


async def _fetch_item(api: Api, ref: str) -> Raw:
    return json_of(await api.call(Request(method="GET", path=f"/items/{ref}")))


async def _check(api: Api) -> Identity:
    return Identity(external_id="shop", name="shop")


def _read(writes: Sequence[StockWrite], reply: Reply) -> list[Outcome]:
    rows = {row["ref"]: row for row in json_of(reply)}
    return [
        Outcome(
            listing_ref=write.listing_ref, slot_ref=write.slot_ref,
            outcome=OutcomeKind.STALE if rows[write.slot_ref].get("stale") else OutcomeKind.ACCEPTED,
            seen=rows[write.slot_ref].get("stock"),
        )
        for write in writes
    ]  # fmt: skip


def adapter(traits: Traits) -> Adapter:
    """The adapter of such a channel."""

    async def since(api: Api, cursor: str | None) -> Page:
        params = () if cursor is None else (("since", (datetime.fromisoformat(cursor) - OVERLAP).isoformat()),)
        found = json_of(await api.call(Request(method="GET", path="/orders", params=params)))
        newest = max((row["updated"] for row in found), key=datetime.fromisoformat, default=cursor)
        if traits.documents:
            return Page(documents=tuple(found), cursor=newest)
        return Page(refs=tuple(row["id"] for row in found), cursor=newest)

    async def latest(api: Api) -> Page:
        found = json_of(await api.call(Request(method="GET", path="/orders", params=(("latest", "1"),))))
        if traits.documents:
            return Page(documents=tuple(found))
        return Page(refs=tuple(row["id"] for row in found))

    def render(writes: Sequence[StockWrite]) -> list[tuple[Request, tuple[StockWrite, ...]]]:
        rendered = []
        for start in range(0, len(writes), traits.batch):
            some = tuple(writes[start : start + traits.batch])
            rows: list[dict[str, Any]] = [{"ref": w.slot_ref, "quantity": w.quantity} for w in some]
            if traits.compare_and_set:
                for row, write in zip(rows, some, strict=True):
                    if write.version is None:
                        raise Unreadable("version", "a write without the version that it was computed from")
                    row["version"] = write.version
            rendered.append((Request(method="PUT", path="/stock", json={"rows": rows}), some))
        return rendered

    tokens = TokenSource(
        request=lambda credentials, token: Request(
            method="POST", path="/token", authenticate=False,
            json={"refresh": (token.refresh if token and token.refresh else credentials.refresh).get_secret_value()},
        ),
        read=_read_token, headers=lambda token: {"authorization": f"Bearer {token.access.get_secret_value()}"},
        single_use=True,
    )  # fmt: skip
    return Adapter(
        label=traits.name.title(), kind=traits.kind, docs="https://example.org", credentials=ShopCredentials,
        limits=(), faults={403: Fault.AUTH}, check=_check, token=tokens if traits.tokens else None,
        orders=OrderSource(
            fetch=_fetch, since=since, parse=parse, latest=latest if traits.latest else None,
            takes_stock=lambda order: not order.cancelled if traits.restocks or not order.cancelled else None,
        ),
        listings=ListingSource(pages=_pages, fetch=_fetch_item, parse=lambda raw: [_listing(raw)]),
        stock=StockSink(
            render=render, read=_read, look=_look, batch=traits.batch,
            compare_and_set=lambda _write: traits.compare_and_set,
        ),
    )  # fmt: skip


def _read_token(reply: Reply, now: datetime) -> Token:
    told = json_of(reply)
    if "access" not in told:
        raise ChannelError(Fault.AUTH, "token", "no token")
    return Token(
        access=SecretStr(told["access"]), refresh=SecretStr(told["refresh"]),
        expires_at=now + timedelta(seconds=told["seconds"]),
    )  # fmt: skip
