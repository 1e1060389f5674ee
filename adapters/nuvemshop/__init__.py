"""Nuvemshop (Tiendanube) storefront, API 2025-03."""

from adapters.nuvemshop import client, mapping, stock, webhook
from hub import oauth
from hub.contract import Adapter, Kind, ListingSource, OAuth, OrderSource, ShipmentSink, StockSink, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import hmac_sha256

ADAPTER = Adapter(
    label="Nuvemshop",
    kind=Kind.STOREFRONT,
    docs="https://tiendanube.github.io/api-documentation",
    credentials=client.Credentials,
    limits=(Limit(burst=40, seconds=20),),  # a bucket of 40 that leaks 2 a second; ten times that on the larger plans
    faults={
        400: Fault.REJECTED,  # also: no User-Agent
        401: Fault.AUTH,
        402: Fault.AUTH,  # store or application not paid: webhooks stop as well
        403: Fault.AUTH,
        404: Fault.MISSING,
        415: Fault.REJECTED,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    check=client.check,
    oauth=OAuth(
        authorize=client.authorize,
        exchange=client.exchange,
        grants={"access_token": "access_token", "user_id": "store_id"},
    ),
    webhook=WebhookSource(
        signed="hex HMAC-SHA256 of the body, the application's secret",
        verify=hmac_sha256("x-linkedstore-hmac-sha256", encoding="hex"),
        read=webhook.read,
        deadline_ms=3000,
        secret=oauth.client_secret,
        subscribe=client.subscribe,
    ),
    orders=OrderSource(
        fetch=client.fetch_order, since=client.orders_since, latest=client.latest_orders, parse=mapping.order
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=StockSink(
        render=stock.render, read=stock.read, look=client.look, batch=stock.BATCH, atomic=True, asked=stock.sent
    ),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.parcels_of),
)
