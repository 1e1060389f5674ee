"""Events out: which there are, what each tells, how it is signed, and when it is tried again. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from standardwebhooks import Webhook

from hub.addresses import is_safe

Instant = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


class Payload(BaseModel):
    """What every event's `data` has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(description="Grows with every event of a seller: of two about one thing the greater is newer.")


class _OfAccount(Payload):
    account_id: UUID
    channel: str = Field(description="The channel's key, like mercadolivre.")


class LineOfOrder(BaseModel):
    """One line of an order, in units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: str
    sku: str | None = Field(description="As the channel tells it.")
    quantity: int = Field(description="As ordered.")
    cancelled_quantity: int
    dispatched_quantity: int
    returned_quantity: int


class OrderTold(_OfAccount):
    """An order as it stood after the change, without its buyer."""

    order_id: UUID
    ref: str = Field(description="The channel's id.")
    number: str | None = Field(description="What a person reads on the channel's screen.")
    status: str = Field(description="placed, paid, dispatched, delivered or cancelled.")
    payment: str | None
    fulfilment: str | None
    hold: str | None
    fulfilled_by: str | None
    currency: str
    total_cents: int | None
    placed_at: Instant | None
    changed_at: Instant | None
    ship_by: Instant | None
    deliver_by: Instant | None
    lines: tuple[LineOfOrder, ...]


class StockTold(Payload):
    """What of a SKU can be sold: over the seller's own warehouses, before any channel's buffers."""

    sku_id: UUID
    sku: str
    available: int | None = Field(description="Null: its stock was never counted. A kit: what its components make.")


class ShipmentTold(_OfAccount):
    """A parcel and the orders that it serves."""

    shipment_id: UUID
    order_ids: tuple[UUID, ...]
    ref: str
    carrier: str | None
    service: str | None
    tracking_code: str | None
    status: str | None = Field(description="A tracking status of the canonical model.")
    deliver_by: Instant | None


class ListingParked(_OfAccount):
    """A stock number that the channel refused: nothing more is written there until a person acts."""

    slot_id: UUID
    slot_ref: str
    listing_ref: str
    variation_ref: str | None
    sku: str | None
    desired: int | None
    code: str = Field(description="The channel's code of the refusal.")


class ShortageOpened(Payload):
    """Units sold that the stock does not hold."""

    shortage_id: UUID
    order_id: UUID
    line_ref: str
    sku: str
    quantity: int


class AlertTold(Payload):
    """Something that needs a person."""

    alert_id: UUID
    alert: str = Field(description="Its kind, like account_held.")
    about: str = Field(description="What it is about: an id of ours, or a name.")
    severity: str
    opened_at: Instant
    due_at: Instant | None
    closed_at: Instant | None


class AccountHeld(_OfAccount):
    """A channel that refuses our credentials: its work is kept."""

    name: str


class LineOfReturn(BaseModel):
    """One line of a return, in units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_ref: str
    quantity: int
    disposition: str | None = Field(description="sellable, damaged, lost or null.")


class ReturnOpened(Payload):
    """A return that the channel tells."""

    return_id: UUID
    order_id: UUID
    ref: str
    status: str | None
    lines: tuple[LineOfReturn, ...]


class Trial(Payload):
    """Nothing happened: somebody wants to see that events arrive."""

    endpoint_id: UUID


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of event tells, and when there is one."""

    payload: type[Payload]
    when: str


TEST = "test"
STOCK = "stock.changed"
KINDS: Mapping[str, Kind] = {
    "order.created": Kind(OrderTold, "an order is known for the first time, whatever its status is by then"),
    "order.updated": Kind(OrderTold, "its status, payment, lines, parcels, invoices, deadlines or address changed"),
    "order.cancelled": Kind(OrderTold, "it was cancelled as a whole; comes in the place of order.updated"),
    STOCK: Kind(StockTold, "what can be sold of a SKU or kit is another number than told last"),
    "shipment.created": Kind(ShipmentTold, "a parcel is known for the first time"),
    "shipment.updated": Kind(ShipmentTold, "its status, carrier, code or promised day changed"),
    "listing.parked": Kind(ListingParked, "a channel refused a stock number for good"),
    "shortage.opened": Kind(ShortageOpened, "units were sold that are not there"),
    "alert.opened": Kind(AlertTold, "something needs a person, or needs one again"),
    "alert.closed": Kind(AlertTold, "it needs nobody any more"),
    "account.held": Kind(AccountHeld, "a channel refuses the account's credentials"),
    "return.opened": Kind(ReturnOpened, "a channel tells of a return for the first time"),
}
_TEST = Kind(Trial, "somebody sent a test event")


def body_of(kind: str, at: datetime, facts: Mapping[str, Any]) -> str:
    """What is sent, to the byte. A ValueError where `facts` are not what the kind tells."""
    payload = (KINDS.get(kind) or _TEST).payload.model_validate(facts)
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    told = {"type": kind, "timestamp": moment, "data": payload.model_dump(mode="json")}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def message_id(event_id: UUID) -> str:
    """The webhook-id: the same for every attempt and every replay of an event."""
    return f"evt_{event_id.hex}"


def headers(secrets: Sequence[str], event_id: UUID, at: datetime, body: str) -> dict[str, str]:
    """The headers of one attempt. While a secret is being replaced, each of the two signs."""
    named = message_id(event_id)
    signatures = [Webhook(secret).sign(named, at.astimezone(UTC), body) for secret in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": named,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


# ── where to ────────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_URL = 2000


def address_problem(url: str) -> str | None:
    """Why an address cannot be an endpoint: `address`, `https` or `login`; None: it can, where its host is allowed."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "address"
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if parts.scheme not in ("http", "https") or not host or not plain or len(url) > LONGEST_URL:
        return "address"
    if "@" in parts.netloc:
        return "login"
    return None if is_safe(url) else "https"


def host_of(url: str) -> str:
    """What may be shown of an address: paths and queries often carry a key."""
    return urlsplit(url).hostname or ""


# ── again ───────────────────────────────────────────────────────────────────────────────────────────────────

SECONDS, MINUTES, HOURS = 1, 60, 3600
DELAYS = (5 * SECONDS, 5 * MINUTES, 30 * MINUTES, 2 * HOURS, 5 * HOURS, 10 * HOURS, 10 * HOURS)
ATTEMPTS = len(DELAYS) + 1
JITTER = 0.1  # of each delay, to either side
GONE = 410
ROTATION = timedelta(days=1)
HOPELESS = timedelta(days=5)  # nothing taken for so long: the endpoint is disabled
FEW = 3  # failures in a row that rest nothing
LONGEST_REST = 5 * MINUTES


def again_at(now: datetime, attempts: int, chance: float, told: float | None = None) -> datetime | None:
    """When to try after so many failed attempts; None: no more.

    `chance` is from 0 to 1; `told`: seconds that the endpoint asked for, waited out where they are longer.
    """
    if attempts >= ATTEMPTS:
        return None
    delay = DELAYS[attempts - 1] * (1 + JITTER * (2 * chance - 1))
    return now + timedelta(seconds=max(delay, told or 0.0))


def rest_until(now: datetime, failures: int, chance: float, told: float | None = None) -> datetime | None:
    """Until when an endpoint that failed so often in a row is asked nothing; None: it is."""
    seconds = told or 0.0
    if failures >= FEW:
        seconds = max(seconds, min(LONGEST_REST, 5 * 2 ** min(failures - FEW, 10)) * (1 + JITTER * chance))
    return now + timedelta(seconds=seconds) if seconds else None


def is_hopeless(failing_since: datetime | None, now: datetime) -> bool:
    """Whether an endpoint has failed for so long that it is left alone."""
    return failing_since is not None and now - failing_since >= HOPELESS
