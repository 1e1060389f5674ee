"""Tray storefront. Its base facts are of 2021: what is marked assumed was not confirmed since."""

from adapters.tray import client, mapping, stock, webhook
from hub.contract import Adapter, Kind, ListingSource, OAuth, OrderSource, ShipmentSink, TokenSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import unsigned
from hub.sinks import one_by_one

ADAPTER = Adapter(
    label="Tray",
    kind=Kind.STOREFRONT,
    docs="https://developers.tray.com.br",
    credentials=client.Credentials,
    limits=(
        Limit(burst=30, seconds=12),  # 180 in any minute of the store: 150 evenly, 30 at once
        Limit(burst=10_000, seconds=86_400),  # a day; 50,000 on the corporate plan
    ),
    faults={
        "1000": Fault.AUTH,  # the token is over
        "1001": Fault.AUTH,  # store blocked
        "1002": Fault.AUTH,  # store inactive
        "1003": Fault.AUTH,  # store cancelled
        "1099": Fault.AUTH,  # token not valid
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(request=client.token_request, read=client.read_token, headers=client.shown),
    sign=client.in_query,
    oauth=OAuth(
        authorize=client.authorize,
        exchange=client.exchange,
        app=("consumer_key", "consumer_secret"),
        asks=("api_address",),
        tells={"api_address": "api_address", "store": "store_id"},
    ),
    read_error=stock.read_error,
    # Switched on by a support ticket for the whole application; what fails comes again for up to twenty days.
    webhook=WebhookSource(signed="none", verify=unsigned, read=webhook.read, per="app", deadline_ms=5000),
    orders=OrderSource(
        fetch=client.fetch_order, since=client.orders_since, latest=client.latest_orders, parse=mapping.order
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.statuses),
)
