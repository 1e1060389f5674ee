"""What a channel is: a record of plain functions. A field that is None is a thing the channel cannot do.

A facet pairs a pure half (`parse`, `render`, `read`, `verify`) with an I/O half (`fetch`, `send`), so that the
hub stands between the two: it keeps raw, retries only I/O, and tests the pure half with files.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from hub.faults import Fault, Unreadable
from hub.model import (
    Knock,
    Limit,
    Listing,
    Notice,
    Order,
    Outcome,
    Parcel,
    Posting,
    Purchase,
    Quote,
    Raw,
    Reply,
    Request,
    ShipmentNews,
    StockWrite,
    TrackedObject,
    Unsigned,
)


class Kind(StrEnum):
    """What sort of channel it is."""

    STOREFRONT = "storefront"
    MARKETPLACE = "marketplace"
    CARRIER = "carrier"
    ERP = "erp"


class Credentials(BaseModel):
    """What a seller gives us. Its JSON schema is the connect form; SecretStr fields are encrypted at rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def base_url(self) -> str:
        """Where requests with a relative path go, without a trailing slash."""
        raise NotImplementedError

    def headers(self) -> Mapping[str, str]:
        """Headers of static authentication (Basic, an API key); empty where a token is used."""
        return {}


class Api(Protocol):
    """A channel account we can talk to: all that an adapter's I/O half gets.

    `call` authenticates, throttles, retries what is repeatable, classes failures (ChannelError) and redacts.
    `facts` is what `check` learnt about the account; `app` the OAuth application's public settings.
    """

    @property
    def credentials(self) -> Any: ...  # noqa: D102 - each adapter's own Credentials type
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def external_id(self) -> str | None: ...  # noqa: D102 - the seller's id at the channel
    def now(self) -> datetime:  # noqa: D102
        ...

    async def call(self, request: Request) -> Reply:  # noqa: D102
        ...


def json_of(reply: Reply) -> Raw:
    """The JSON value of a reply; a body that is not JSON is a SHAPE fault."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("body", f"not JSON (status {reply.status})") from problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who an account is at the channel: `facts` is remembered and handed back through Api.facts."""

    external_id: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer credential with its true lifetime."""

    access: SecretStr
    expires_at: datetime | None
    refresh: SecretStr | None = None
    account_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSource:
    """How a token is got and renewed.

    `request` renders the call from the credentials and the last token (None at first); `read` makes the token of
    the reply; `headers` shows it. `single_use` refresh tokens are renewed in single flight, the new one committed
    before it is used. `renew_on` lists statuses and vendor codes that mean "expired": one renewal, then AUTH.
    """

    request: Callable[[Any, Token | None], Request]
    read: Callable[[Reply, datetime], Token]
    headers: Callable[[Token], Mapping[str, str]]
    renew_on: frozenset[int | str] = frozenset({401})
    single_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """The authorization-code flow before the first token: authorize URL and code exchange.

    `app` are the fields of the credentials that are the application's own, `asks` what else the authorize URL needs
    (a shop's address); nobody types what the consent tells. The address that the vendor comes back to holds the code
    in its parameter `code`; `tells` names the others that are fields of the credentials, `verify` refuses one that
    the vendor did not make (ChannelError). `grants` are fields of the exchange's answer that are, where no
    TokenSource reads it. In `authorize` and `exchange` fields that are not known yet are empty.
    """

    authorize: Callable[[Any, str, str, str], str]  # credentials, redirect_uri, state, PKCE challenge -> URL
    exchange: Callable[[Any, str, str, str], Request]  # credentials, code, redirect_uri, PKCE verifier
    app: tuple[str, ...] = ("client_id", "client_secret")
    asks: tuple[str, ...] = ()
    code: str = "code"
    tells: Mapping[str, str] = field(default_factory=dict)  # parameter -> field of the credentials
    grants: Mapping[str, str] = field(default_factory=dict)
    verify: Callable[[Any, Mapping[str, str]], None] | None = None  # credentials, parameters as they came

    def untyped(self) -> frozenset[str]:
        """Fields of the credentials that a consent brings, or that would make it needless."""
        brought = {"refresh_token", "access_token", "code", *self.tells.values(), *self.grants.values()}
        return frozenset(brought - {*self.app, *self.asks})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a poll. `documents` are whole (parse takes them), `refs` must be fetched.

    `cursor` is where the next call goes on: give it back as it is. `more` is false at the end of what is new. `acks`
    is what the channel wants confirmed once all of this is kept (handles of a queue).
    """

    documents: tuple[Raw, ...] = ()
    refs: tuple[str, ...] = ()
    acks: tuple[Raw, ...] = ()
    cursor: str | None = None
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSource:
    """How notices are authenticated, read and registered.

    `verify(secret, knock)` raises BadSignature; `signed` names the scheme for the docs ("none" where the vendor
    signs nothing). `per` is "app" when one callback serves many accounts (read tells account_ref). `subscribe`
    makes registration right and says what it did; it is safe to repeat and repairs disabled hooks. `missed` reads
    the vendor's own list of undelivered notices. `secret` picks what signs out of the credentials, where the vendor
    signs with a key of its own (None: not given yet, every knock is refused); without it the hub makes the secret.
    """

    signed: str
    body_signed: bool = True  # False: a secret of ours comes back in a header, whatever the body says
    verify: Callable[[str, Knock], None]
    read: Callable[[Knock], list[Notice]]
    is_ping: Callable[[Knock], bool] | None = None
    per: str = "account"
    deadline_ms: int = 5000
    secret: Callable[[Any], str | None] | None = None
    subscribe: Callable[[Api, str, str], Awaitable[list[str]]] | None = None  # api, url, secret -> actions taken
    # Takes the registration back when an account is closed: api, url -> actions taken.
    unsubscribe: Callable[[Api, str], Awaitable[list[str]]] | None = None
    missed: Callable[[Api, str | None], Awaitable[tuple[list[Notice], str | None]]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSource:
    """Where orders come from. `fetch` answers the composed document that CANONICAL's last table names."""

    fetch: Callable[[Api, str], Awaitable[Raw]]
    since: Callable[[Api, str | None], Awaitable[Page]]
    parse: Callable[[Raw], Order]
    # Which fields each part beside "order" owns (their version moves with that part's clock).
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # The same, less the parts that we have and that do not change (order ref, names of those parts).
    refetch: Callable[[Api, str, frozenset[str]], Awaitable[Raw]] | None = None
    # One request for the most recently placed orders: what is looked at right before an absolute stock write.
    latest: Callable[[Api], Awaitable[Page]] | None = None
    # Whether the channel took the order's units off its own shelf; None: it cannot be told, read the slot back.
    takes_stock: Callable[[Order], bool | None] = lambda order: not order.cancelled
    # order ref of a notice with topic "shipment", where the channel tells shipments by their own id
    orders_of_shipment: Callable[[Api, str], Awaitable[list[str]]] | None = None
    # Whether a notice with topic "order" may name one of an order's shipments instead of the order.
    shipments_as_orders: bool = False
    # Confirms `Page.acks` after the page is committed.
    ack: Callable[[Api, Sequence[Raw]], Awaitable[None]] | None = None
    # A JSON path predicate over the canonical order: the channel arranges its shipping, with a label of its own. Of
    # `{}` (a relay's order: nothing of the channel's own words) it tells what is so unless the channel says otherwise.
    own_label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingSource:
    """Pages of listings with the channel's own stock value, and one listing afresh."""

    pages: Callable[[Api, str | None], Awaitable[Page]]
    fetch: Callable[[Api, str], Awaitable[Raw]]  # by Listing.ref
    parse: Callable[[Raw], list[Listing]]
    # Several at once, up to `batch`, in one request: documents of those that are there.
    fetch_many: Callable[[Api, Sequence[str]], Awaitable[list[Raw]]] | None = None
    batch: int = 1


AVAILABLE, PHYSICAL = "available", "physical"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSink:
    """Where availability goes. `render` makes requests of at most `batch` writes; `read` tells each slot's outcome.

    `look` reads slots back (StockWrite in, Listing out, same order; None for one that is gone). With
    `compare_and_set(write)` true the engine looks first and passes `version`/`expected`. `numbers` is AVAILABLE, or
    PHYSICAL where the channel takes what it holds reserved off the number that it is told: its listings tell both,
    `stock_quantity` as written and `quantity` less the reservations, and the engine looks right before each write.
    """

    render: Callable[[Sequence[StockWrite]], list[tuple[Request, tuple[StockWrite, ...]]]]
    read: Callable[[Sequence[StockWrite], Reply], list[Outcome]]
    look: Callable[[Api, Sequence[StockWrite]], Awaitable[list[Listing | None]]]
    batch: int = 1
    atomic: bool = False  # one bad row refuses the whole request: the engine then sends its rows one by one
    numbers: str = AVAILABLE
    compare_and_set: Callable[[StockWrite], bool] = lambda _write: False
    ask: Callable[[Api, Sequence[StockWrite], str], Awaitable[list[Outcome]]] | None = None
    # Pure: the writes that a rendered request asks for, `render` backwards; for answers read without their request.
    asked: Callable[[Request], list[StockWrite]] | None = None

    def shown(self, listing: Listing) -> int | None:
        """What a listing shows, to compare with what it should: what a buyer can buy. None: not told."""
        return listing.stock_quantity if self.numbers == AVAILABLE else listing.quantity

    def reserved(self, listing: Listing) -> int:
        """Units that the channel itself takes off the number that it is told; 0 where it is told availability."""
        if self.numbers == AVAILABLE or listing.stock_quantity is None or listing.quantity is None:
            return 0
        return max(0, listing.stock_quantity - listing.quantity)

    def as_shown(self, listing: Listing) -> Listing:
        """The listing with the number that compares with what it should show in place of the one as written."""
        return listing if self.numbers == AVAILABLE else listing.model_copy(update={"stock_quantity": listing.quantity})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentSink:
    """How a channel is told about a shipment.

    `targets` are ways to tell it, tried in order until one exists there (a MISSING fault means "not this one");
    the hub remembers which. `render(news, target)` answers the requests in order; [] means there is nothing to
    tell (the channel moves that status itself). Where a request must name what only the channel knows (its parcels,
    the whole order), `prepare` reads that right before, and render finds it in `news.there`.
    """

    render: Callable[[ShipmentNews, str], list[Request]]
    targets: tuple[str, ...] = ("default",)
    prepare: Callable[[Api, ShipmentNews], Awaitable[Raw]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """What a parcel is known by: the carrier's tracking code and service, and the carrier's own id of what it sold.

    `ref` is null where the label was not bought from this carrier through the hub.
    """

    tracking_code: str | None
    service: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSource:
    """Where parcels are: `fetch` up to `batch` codes at once; `parse` answers one object per code asked, in order.

    `code_of` makes the code that a parcel is asked by (TrackedObject.code), None while it cannot be asked about. A
    carrier with a `feed` tells what is new since a cursor, at most every `feed_seconds`; each of its page's documents
    is read by `parse(document, ())`. With both, the feed is listened to and `fetch` asks about parcels it is silent
    on. A webhook's notice of topic "tracking" names the code asked by as its ref; `parse(raw, [ref])` reads a fat one.
    A carrier that tells only of codes that it was asked to watch has a `watch`: codes, our address and secret in, those
    that it took out; it tells of them for `watched_for`, then it must be asked again.
    """

    parse: Callable[[Raw, Sequence[str]], list[TrackedObject]]
    fetch: Callable[[Api, Sequence[str]], Awaitable[Raw]] | None = None
    batch: int = 1
    code_of: Callable[[Consignment], str | None] = lambda consignment: consignment.tracking_code
    feed: Callable[[Api, str | None], Awaitable[Page]] | None = None
    feed_seconds: float = 300.0
    watch: Callable[[Api, Sequence[str], str, str], Awaitable[list[str]]] | None = None
    watched_for: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreightSource:
    """Quotes and labels. `label` answers a PDF, or None while the carrier still makes it (ask again).

    `services` are asked about where none is named (empty: the carrier tells all that it has). `find` looks for what
    was bought under a posting's reference, since the instant of the first try: it is asked before anything is bought
    again whose answer never came; without it such a purchase waits for a person. `settle` brings a purchase to its
    end where that takes more calls than one (a basket paid, a label ordered): safe to repeat, it answers what became
    of it. `divisors` are cubic centimetres per kilogram by service, "" for the others. `complete` puts into a rendered
    purchase what only the account knows: its number there, the day of posting (ask `order` for the request). `cancel`
    is None where what was bought cannot be taken back there; `withdrawn` says whether it was, where a refusal to take
    it back is not to be believed; `ask_label` and `label` are None where the carrier's API
    makes no label (the seller prints it at the carrier's own site).
    """

    quote: Callable[[Api, Parcel, Sequence[str]], Awaitable[list[Raw]]]
    read_quotes: Callable[[Sequence[Raw], Sequence[str]], list[Quote]]
    buy: Callable[[Posting], Request]
    read_purchase: Callable[[Raw], Purchase]
    ask_label: Callable[[Api, Sequence[str]], Awaitable[str]] | None  # purchase refs -> receipt
    label: Callable[[Api, str], Awaitable[bytes | None]] | None  # receipt -> PDF
    cancel: Callable[[str], Request] | None
    services: tuple[str, ...] = ()
    find: Callable[[Api, Posting, datetime], Awaitable[Purchase | None]] | None = None
    settle: Callable[[Api, Purchase], Awaitable[Purchase]] | None = None
    divisors: Mapping[str, int] = field(default_factory=dict)
    complete: Callable[[Api, Request], Request] | None = None
    withdrawn: Callable[[Api, str], Awaitable[bool]] | None = None  # purchase ref

    def order(self, api: Api, posting: Posting) -> Request:
        """The request that buys a posting on this account."""
        request = self.buy(posting)
        return self.complete(api, request) if self.complete else request


class LabelState(StrEnum):
    """Whether the label that a channel issues for a parcel can be had."""

    READY = "ready"
    WAITING = "waiting"  # the channel has not made it yet
    INVOICE = "invoice"  # the channel waits for the NF-e
    POSTED = "posted"  # the parcel left: there is nothing to print any more
    CANCELLED = "cancelled"
    NONE = "none"  # the channel issues none: its own warehouse sends it, or the seller's carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStanding:
    """How a channel's label stands; `until` is when one that is waited for is promised."""

    state: LabelState
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """Labels that a channel itself issues for parcels that travel by it: paid for there, only to be fetched.

    `services` are those of its shipments (Shipment.service) that it issues labels for. `look` reads one shipment,
    `standing` tells of that whether its label can be had, `fetch` answers a PDF (one that is refused is REJECTED);
    refs are Shipment.ref. A label may be fetched again until its parcel left.
    """

    services: tuple[str, ...]
    look: Callable[[Api, str], Awaitable[Raw]]
    standing: Callable[[Raw], LabelStanding]
    fetch: Callable[[Api, str], Awaitable[bytes]]


FACETS = ("webhook", "orders", "listings", "stock", "shipments", "tracking", "freight", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A channel. The page you read first is the one that declares this."""

    label: str
    kind: Kind
    docs: str
    credentials: type[Credentials]
    limits: tuple[Limit, ...]
    faults: Mapping[int | str, Fault]
    check: Callable[[Api], Awaitable[Identity]]
    token: TokenSource | None = None
    oauth: OAuth | None = None
    # Signs each attempt of a request to the channel's own host: answers it with what is to be shown (query or
    # headers; `shown` is not added by itself). Pure; the time it is given is that of the attempt.
    sign: Callable[[Unsigned], Request] | None = None
    read_error: Callable[[Reply], str | None] = lambda _reply: None
    # Until when a code says that there is no more (a quota of the day), where no Retry-After does. Pure.
    until: Callable[[str, datetime], datetime | None] = lambda _code, _now: None
    webhook: WebhookSource | None = None
    orders: OrderSource | None = None
    listings: ListingSource | None = None
    stock: StockSink | None = None
    shipments: ShipmentSink | None = None
    tracking: TrackingSource | None = None
    freight: FreightSource | None = None
    labels: LabelSource | None = None

    def registers(self) -> bool:
        """Whether the hub can have notices sent by itself: it registers its address, or has each parcel watched."""
        watches = self.tracking is not None and self.tracking.watch is not None
        return watches or (self.webhook is not None and self.webhook.subscribe is not None)

    def can(self) -> tuple[str, ...]:
        """Facets this channel has, in FACETS order."""
        return tuple(f.name for f in fields(self) if f.name in FACETS and getattr(self, f.name) is not None)
