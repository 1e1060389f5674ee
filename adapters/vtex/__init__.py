"""VTEX storefront: orders by a queue (Feed v3), physical stock by SKU and warehouse, marketplaces relayed."""

from adapters.vtex import client, mapping, stock, webhook
from hub.contract import PHYSICAL, Adapter, Kind, ListingSource, OrderSource, ShipmentSink, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import shared_secret
from hub.sinks import one_by_one

ADAPTER = Adapter(
    label="VTEX",
    kind=Kind.STOREFRONT,
    docs="https://developers.vtex.com",
    credentials=client.Credentials,
    limits=(
        Limit(burst=6000, seconds=60, operation="order"),
        Limit(burst=100, seconds=1, assumed=True),
    ),
    faults={
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # a role of the key is missing
        404: Fault.MISSING,
        409: Fault.REJECTED,  # the order is in another state
        423: Fault.TRANSIENT,  # the SKU's stock is locked by another write
        429: Fault.THROTTLED,
    },
    check=client.check,
    read_error=stock.read_error,
    webhook=WebhookSource(
        signed="our own token, repeated as X-Balcao-Token",
        body_signed=False,
        verify=shared_secret(webhook.HEADER.lower()),
        read=webhook.read,
        is_ping=webhook.is_ping,
        subscribe=client.subscribe,
    ),
    # no `latest`: to look at the feed takes its messages away from the poll for minutes, and the list lags
    orders=OrderSource(fetch=client.fetch_order, since=client.orders_since, parse=mapping.order, ack=client.ack),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look, numbers=PHYSICAL),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.order_there),
)
