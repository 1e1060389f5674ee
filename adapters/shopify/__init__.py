"""Shopify storefront, Admin GraphQL API 2026-04."""

from adapters.shopify import client, mapping, stock, webhook
from hub import oauth
from hub.contract import (
    Adapter,
    Kind,
    ListingSource,
    OAuth,
    OrderSource,
    ShipmentSink,
    StockSink,
    TokenSource,
    WebhookSource,
)
from hub.model import Limit
from hub.signing import hmac_sha256

ADAPTER = Adapter(
    label="Shopify",
    kind=Kind.STOREFRONT,
    docs="https://shopify.dev/docs/api/admin-graphql/2026-04",
    credentials=client.Credentials,
    # A shop's application has 100 points a second (200, 1,000 or 2,000 on larger plans), and a query costs what it
    # asks for: so many calls are what ours come to. What is too much is told as THROTTLED.
    limits=(Limit(burst=20, seconds=5, assumed=True), Limit(burst=4, seconds=1, operation="stock", assumed=True)),
    faults=oauth.FAULTS | stock.FAULTS | stock.STATUSES,
    check=client.check,
    token=TokenSource(request=client.token_request, read=client.read_token, headers=client.shown, single_use=True),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange, asks=("shop",), verify=client.verify_back),
    read_error=stock.read_error,
    webhook=WebhookSource(
        signed="base64 HMAC-SHA256 of the body, the application's secret",
        verify=hmac_sha256("x-shopify-hmac-sha256", encoding="base64"),
        read=webhook.read,
        secret=oauth.client_secret,
        subscribe=client.subscribe,
        unsubscribe=client.unsubscribe,
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
        parts={"hold": frozenset({"hold"})},  # only GraphQL tells one; a webhook's body must not take it back
        takes_stock=mapping.takes_stock,
        orders_of_shipment=client.orders_of_shipment,
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=StockSink(
        render=stock.render,
        read=stock.read,
        look=client.look,
        batch=stock.BATCH,
        atomic=True,
        compare_and_set=lambda _write: True,
        asked=stock.sent,
    ),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.parcels_of),
)
