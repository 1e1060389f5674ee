"""Magalu marketplace, Open API seller/v1."""

from functools import partial

from adapters.magalu import client, mapping, stock, webhook
from hub import oauth
from hub.contract import Adapter, Kind, ListingSource, OAuth, OrderSource, ShipmentSink, TokenSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.sinks import by_looking, one_by_one

PER_MINUTE = {  # of a seller, by operation
    "orders": 850, "deliveries": 850, "shipment": 850, "products": 550, "stocks": 850, "stock": 650,
}  # fmt: skip
TENTH, PAUSE = 10, 6.7  # a tenth at once, the rest evenly: never more than the figure in any minute

ADAPTER = Adapter(
    label="Magalu",
    kind=Kind.MARKETPLACE,
    docs="https://developers.magalu.com",
    credentials=client.Credentials,
    limits=(
        *(Limit(burst=n // TENTH, seconds=PAUSE, operation=name) for name, n in PER_MINUTE.items()),
        Limit(burst=200, seconds=PAUSE, assumed=True),  # 2000 a minute, as the documentation of 2025 has it for all
    ),
    faults={
        **oauth.FAULTS,  # invalid_grant: refresh tokens rotate, a used one is dead
        "30001": Fault.AUTH,  # the gateway's own 401, in its own shape
        "NOT_FOUND": Fault.MISSING,
        "LOCKED": Fault.TRANSIENT,
        303: Fault.REJECTED,  # a PUT may answer it: never followed
        401: Fault.AUTH,
        403: Fault.AUTH,  # a scope is missing, or who consented is no administrator of the company
        423: Fault.TRANSIENT,
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(
        request=client.refresh,
        read=partial(oauth.token_of, read_error=stock.read_error),
        headers=oauth.bearer,
        single_use=True,
    ),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange),
    sign=client.for_channel,
    read_error=stock.read_error,
    # The seller registers it: the secret is shown once, in the answer to PUT /v1/onboarding/signup. Unsigned by v0.
    webhook=WebhookSource(
        signed="hex HMAC-SHA256 of timestamp and body, the secret that the registration answered",
        verify=webhook.verify,
        read=webhook.read,
        deadline_ms=3000,  # assumed
        secret=lambda credentials: credentials.hook_secret(),
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
        orders_of_shipment=client.orders_of_delivery,
        shipments_as_orders=True,
        own_label=mapping.OWN_LABEL,
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look, ask=by_looking(client.look)),
    shipments=ShipmentSink(
        render=stock.shipped,
        prepare=lambda api, news: client.fetch_order(api, news.order_ref),  # what was told is not told twice
    ),
)
