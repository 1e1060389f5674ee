"""The canonical nouns. Every channel is translated into these; nothing here knows a channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, computed_field

READS = frozenset({"GET", "HEAD", "OPTIONS"})
Raw: TypeAlias = Any  # a JSON value as it came off the wire; `str` for XML and text answers


def _to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Cents: TypeAlias = int
Count = Annotated[int, Field(ge=0)]


class Canonical(BaseModel):
    """Frozen, strict, closed: a typing slip in a mapping fails its test."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Payment(StrEnum):
    """Where the money stands."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class Fulfilment(StrEnum):
    """Where the goods stand, in the order in which they move."""

    NONE = "none"
    PARTIAL = "partial"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    RETURNED = "returned"


class Hold(StrEnum):
    """Why an order must not be shipped or touched."""

    FRAUD = "fraud"
    FROZEN = "frozen"
    CANCEL_REQUESTED = "cancel_requested"
    INVOICE_PENDING = "invoice_pending"


class Status(StrEnum):
    """The hub's own word for an order, decided from the four above."""

    PLACED = "placed"
    PAID = "paid"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class FulfilledBy(StrEnum):
    """Whose shelf the goods leave from."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"
    MIXED = "mixed"


class TrackingStatus(StrEnum):
    """A parcel's canonical status."""

    LABEL_CREATED = "label_created"
    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AWAITING_PICKUP = "awaiting_pickup"
    DELIVERED = "delivered"
    FAILED_ATTEMPT = "failed_attempt"
    CUSTOMS = "customs"
    EXCEPTION = "exception"
    RETURNING = "returning"
    RETURNED = "returned"
    LOST = "lost"
    DAMAGED = "damaged"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Topic(StrEnum):
    """What a notice is about."""

    ORDER = "order"
    SHIPMENT = "shipment"
    LISTING = "listing"
    STOCK = "stock"
    TRACKING = "tracking"
    ACCOUNT = "account"
    PING = "ping"
    IGNORED = "ignored"  # known, not for us
    UNKNOWN = "unknown"  # never seen: kept and shown


class ListingStatus(StrEnum):
    """Whether buyers can see a listing."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


class ManagedBy(StrEnum):
    """Who keeps the stock of a listing."""

    SELLER = "seller"
    MARKETPLACE = "marketplace"


class Disposition(StrEnum):
    """What became of a returned unit."""

    SELLABLE = "sellable"
    DAMAGED = "damaged"
    LOST = "lost"


class OutcomeKind(StrEnum):
    """What became of one stock write."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    STALE = "stale"
    FAULT = "fault"


class Origin(Canonical):
    """Where a relayed order was born. One origin has one stock effect."""

    channel: str
    ref: str


class Document(Canonical):
    """A CPF or CNPJ, bare and upper case; one that fails its check digits is kept with `valid` false."""

    kind: Annotated[str, Field(pattern="^(cpf|cnpj)$")]
    number: str
    valid: bool


class Buyer(Canonical):
    """Who bought; any field may be masked (null)."""

    ref: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    document: Document | None = None


class Address(Canonical):
    """Where it goes: `state` is the UF, `postal_code` bare characters, `country` ISO alpha-2."""

    recipient: str | None = None
    street: str | None = None
    number: str | None = None
    complement: str | None = None
    district: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class OrderLine(Canonical):
    """One listing in an order. `total_cents` (after line discounts) is the truth, unit_price_cents derives from it."""

    ref: str
    listing_ref: str | None
    variation_ref: str | None = None
    sku: str | None
    title: str | None
    quantity: Annotated[int, Field(gt=0)]
    cancelled_quantity: Count = 0
    dispatched_quantity: Count = 0
    returned_quantity: Count = 0
    total_cents: Cents | None
    fulfilled_by: FulfilledBy | None = None

    @computed_field  # type: ignore[prop-decorator] # mypy cannot see through pydantic's decorator
    @property
    def unit_price_cents(self) -> Cents | None:
        """Total over quantity, half-even."""
        if self.total_cents is None:
            return None
        whole, rest = divmod(self.total_cents, self.quantity)
        doubled = rest * 2
        return whole + (doubled > self.quantity or (doubled == self.quantity and whole % 2 == 1))


class LineQuantity(Canonical):
    """So many units of a line."""

    line_ref: str
    quantity: Annotated[int, Field(gt=0)]


class Shipment(Canonical):
    """A parcel as the order's channel tells it; no lines means the whole order."""

    ref: str
    carrier: str | None = None
    service: str | None = None
    tracking_code: str | None = None
    tracking_url: str | None = None
    status: TrackingStatus | None = None
    lines: tuple[LineQuantity, ...] = ()


class ReturnLine(Canonical):
    """Units that come back; `disposition` null until someone looked at them."""

    line_ref: str
    quantity: Annotated[int, Field(gt=0)]
    disposition: Disposition | None = None


class Return(Canonical):
    """Goods coming back."""

    ref: str
    status: str | None = None
    lines: tuple[ReturnLine, ...] = ()


class Invoice(Canonical):
    """An NF-e: `key` has 44 positions."""

    key: str | None = None
    number: str | None = None
    series: str | None = None
    issued_at: Instant | None = None
    total_cents: Cents | None = None
    status: str | None = None


class Order(Canonical):
    """An order as told or as known. Null is "not told". Money is centavos of `currency`, times are UTC."""

    ref: str
    number: str | None = None
    group_ref: str | None = None
    origin: Origin | None = None
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None
    cancelled: bool = False
    hold: Hold | None = None
    fulfilled_by: FulfilledBy | None = None
    raw_status: dict[str, Any] = Field(default_factory=dict)
    placed_at: Instant | None = None
    changed_at: Instant | None = None
    paid_at: Instant | None = None
    cancelled_at: Instant | None = None
    ship_by: Instant | None = None
    deliver_by: Instant | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "BRL"
    items_cents: Cents | None = None
    discount_cents: Cents | None = None
    shipping_cents: Cents | None = None
    other_cents: Cents | None = None
    fees_cents: Cents | None = None
    channel_discount_cents: Cents | None = None
    total_cents: Cents | None = None
    refunded_cents: Cents | None = None
    lines: tuple[OrderLine, ...] = ()
    buyer: Buyer | None = None
    ship_to: Address | None = None
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    # Channel clock of each part that this document told ("order", "shipment", "billing"); a part not named
    # here was not told. Not part of the canonical JSON.
    clocks: dict[str, Instant | None] = Field(default_factory=dict, exclude=True)

    @computed_field  # type: ignore[prop-decorator] # mypy cannot see through pydantic's decorator
    @property
    def status(self) -> Status:
        """First that fits, as CANONICAL's table has it."""
        moved = self.fulfilment not in (None, Fulfilment.NONE)
        if self.cancelled and not moved:
            return Status.CANCELLED
        if self.fulfilment in (Fulfilment.DELIVERED, Fulfilment.RETURNED):
            return Status.DELIVERED
        if moved:
            return Status.DISPATCHED
        if self.payment in (Payment.PAID, Payment.PARTIALLY_REFUNDED, Payment.REFUNDED):
            return Status.PAID
        return Status.PLACED


class Notice(Canonical):
    """One thing a channel told us happened. `raw` is null when it only rang the bell."""

    topic: Topic
    ref: str | None = None
    account_ref: str | None = None
    dedupe_key: str
    at: Instant | None = None
    raw: Raw = None


class Listing(Canonical):
    """One sellable variation. `quantity` is what a buyer can buy, `stock_quantity` the number as we write it."""

    ref: str
    variation_ref: str | None = None
    slot_ref: str
    location_ref: str | None = None
    sku: str | None = None
    gtin: str | None = None
    title: str | None = None
    url: str | None = None
    status: ListingStatus
    quantity: int | None = None
    stock_quantity: int | None = None
    price_cents: Cents | None = None
    currency: str | None = None
    managed_by: ManagedBy = ManagedBy.SELLER
    version: str | None = None


class NextCode(Canonical):
    """The code under which another carrier took a parcel over."""

    carrier: str
    code: str


class TrackingProblem(Canonical):
    """Why a carrier told nothing about an object."""

    code: str
    message: str


class TrackingEvent(Canonical):
    """One scan. `raw_code` is `CODE/NN`; a revoked event stays listed and counts no more.

    `raw_at` is the time as it was told, `zone` the zone assumed for it (null when the carrier told an offset).
    """

    at: Instant
    raw_at: str | None = None
    zone: str | None = None
    status: TrackingStatus
    raw_code: str
    description: str | None = None
    place: str | None = None
    state: str | None = None
    revokes: bool = False
    revoked: bool = False


class TrackedObject(Canonical):
    """What a carrier tells of one parcel, events oldest first. Not found yet: `error` set, `status` null."""

    code: str
    carrier: str
    carrier_code: str | None = None
    status: TrackingStatus | None = None
    deliver_by: Instant | None = None
    delayed: bool = False
    next_code: NextCode | None = None
    error: TrackingProblem | None = None
    events: tuple[TrackingEvent, ...] = ()


class StockWrite(Canonical):
    """One absolute number to write to one slot. `version` and `expected` serve compare-and-set channels."""

    slot_ref: str
    location_ref: str | None = None
    listing_ref: str
    variation_ref: str | None = None
    quantity: Count
    version: str | None = None
    expected: int | None = None


class Outcome(Canonical):
    """What became of one stock write, per slot."""

    listing_ref: str | None
    variation_ref: str | None = None
    slot_ref: str
    outcome: OutcomeKind
    seen: int | None = None
    code: str | None = None
    message: str | None = None

    @classmethod
    def accepted(cls, write: StockWrite, seen: int | None = None) -> "Outcome":
        """The channel took the number; `seen` is the one that it answered, when it does."""
        return cls(**_of(write), outcome=OutcomeKind.ACCEPTED, seen=seen)

    @classmethod
    def pending(
        cls, write: StockWrite, receipt: str | None = None, message: str | None = None, *, seen: int | None = None
    ) -> "Outcome":
        """The channel will take the number, and says under which receipt it can be asked about."""
        return cls(**_of(write), outcome=OutcomeKind.PENDING, seen=seen, code=receipt, message=message)

    @classmethod
    def refused(
        cls,
        write: StockWrite,
        code: str,
        message: str | None,
        kind: OutcomeKind = OutcomeKind.FAULT,
        *,
        seen: int | None = None,
    ) -> "Outcome":
        """The channel refused this slot, with its code and sentence, and what it shows where it tells."""
        return cls(**_of(write), outcome=kind, seen=seen, code=code, message=message)

    @classmethod
    def stale(cls, write: StockWrite) -> "Outcome":
        """Another number stands there than the one that the write was conditioned on: look again."""
        return cls(**_of(write), outcome=OutcomeKind.STALE)


def _of(write: StockWrite) -> dict[str, Any]:
    return {"listing_ref": write.listing_ref or None, "variation_ref": write.variation_ref, "slot_ref": write.slot_ref}


class News(StrEnum):
    """What the hub tells a channel about a shipment."""

    DISPATCHED = "dispatched"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    FAILED_ATTEMPT = "failed_attempt"
    DELIVERED = "delivered"
    RETURNED = "returned"


class ShipmentNews(Canonical):
    """One thing to tell a channel about one shipment of one order."""

    news: News
    order_ref: str
    shipment_ref: str | None = None
    carrier: str | None = None
    service: str | None = None
    tracking_code: str | None = None
    tracking_url: str | None = None
    at: Instant
    lines: tuple[LineQuantity, ...] = ()
    invoice_key: str | None = None
    # What the channel showed of the order right before, where its sink asks. Not part of the canonical JSON.
    there: Raw = Field(default=None, exclude=True)


class Parcel(Canonical):
    """A volume to quote or post: grams and centimetres, declared value in centavos."""

    from_postal_code: str
    to_postal_code: str
    weight_g: Annotated[int, Field(gt=0)]
    length_cm: Annotated[int, Field(gt=0)]
    width_cm: Annotated[int, Field(gt=0)]
    height_cm: Annotated[int, Field(gt=0)]
    value_cents: Cents = 0


class Quote(Canonical):
    """A carrier's price and promise for one service; `error` says why there is none."""

    service: str
    name: str | None = None
    price_cents: Cents | None = None
    days: int | None = None
    deliver_by: Instant | None = None
    home_delivery: bool | None = None
    error: TrackingProblem | None = None


class Party(Canonical):
    """A sender or recipient on a label."""

    name: str
    document: str | None = None
    phone: str | None = None
    email: str | None = None
    address: Address


class DeclaredGoods(Canonical):
    """One row of a content declaration."""

    description: str
    quantity: Annotated[int, Field(gt=0)]
    value_cents: Cents


class Posting(Canonical):
    """What to buy from a carrier: exactly one of `invoice_key` and `goods` documents the content."""

    reference: str
    service: str
    sender: Party
    recipient: Party
    parcel: Parcel
    invoice_key: str | None = None
    goods: tuple[DeclaredGoods, ...] = ()
    # The offer that was taken, for carriers that want to be told it again, and our address for notices, for those that
    # take it with each label. Not part of the canonical JSON.
    quote: Quote | None = Field(default=None, exclude=True)
    notify: str | None = Field(default=None, exclude=True, repr=False)


class Purchase(Canonical):
    """A posting that the carrier accepted; `service` null where the answer does not repeat what was asked for."""

    ref: str
    tracking_code: str | None = None
    service: str | None = None
    price_cents: Cents | None = None
    expires_at: Instant | None = None
    # The label (PDF), where it comes with the answer and cannot be asked for later. Not part of the canonical JSON.
    label: bytes | None = Field(default=None, exclude=True, repr=False)


# ── Values of the wire, shared by the contract and the one way out ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `burst` at once, refilled at `burst / seconds`; `assumed` when the vendor publishes no figure.

    `per` says who shares the bucket; `operation` restricts the limit to requests that name that operation.
    """

    burst: int
    seconds: float
    per: str = "account"  # "account" | "app" | "ip"
    operation: str | None = None
    assumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call to make: pure data, so that rendering is testable without a network.

    `repeatable` says whether sending it twice is safe: by default every method but POST. `accept` lists error
    statuses that are answers, not faults. `covers` lists the slots a stock write addresses, in row order. `signed`
    ones bear the channel's signature also where no token is shown (its public calls, the renewal of a token).
    `asks` marks a POST that changes nothing (a GraphQL query, a search): it may be sent again, and is never in doubt.
    `xml` is a document sent as it stands (SOAP).
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: Raw = None
    form: tuple[tuple[str, str], ...] = ()
    xml: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    operation: str | None = None
    repeatable: bool | None = None
    accept: frozenset[int] = frozenset()
    authenticate: bool = True
    signed: bool = False
    asks: bool = False

    def is_repeatable(self) -> bool:
        """Whether the transport may send it again after a time-out."""
        return self.asks or self.method != "POST" if self.repeatable is None else self.repeatable

    def is_read(self) -> bool:
        """Whether it changes nothing there."""
        return self.asks or self.method in READS


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Unsigned:
    """A request about to leave, for channels that sign each one.

    `shown` are the headers that token and credentials would show; `content` the body's bytes (None: no body);
    `url` where it goes, without what the signature adds.
    """

    request: Request
    url: str
    content: bytes | None
    shown: Mapping[str, str]
    credentials: Any
    facts: Mapping[str, Any]
    external_id: str | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A webhook request as it arrived: header names lower case, body raw, url as the channel called it."""

    headers: Mapping[str, str]
    body: bytes
    url: str = ""
