"""Bling, the ERP, API v3: relays the orders of the seller's channels, and often is the source of the stock."""

from adapters.bling import client, mapping, stock, webhook
from hub import oauth
from hub.contract import (
    PHYSICAL,
    Adapter,
    Kind,
    ListingSource,
    OAuth,
    OrderSource,
    ShipmentSink,
    TokenSource,
    WebhookSource,
)
from hub.faults import Fault
from hub.model import Limit
from hub.signing import hmac_sha256
from hub.sinks import one_by_one

ADAPTER = Adapter(
    label="Bling",
    kind=Kind.ERP,
    docs="https://developer.bling.com.br",
    credentials=client.Credentials,
    limits=(
        Limit(burst=1, seconds=0.5),  # 3 in any second of the account, all applications together: with room for jitter
        Limit(burst=120_000, seconds=86_400),
    ),
    faults={
        **oauth.FAULTS,  # invalid_grant: refresh tokens rotate; a used or 30 days old one is dead
        **dict.fromkeys(("invalid_token", "insufficient_scope", "FORBIDDEN", "UNAUTHORIZED"), Fault.AUTH),
        "TOO_MANY_REQUESTS": Fault.THROTTLED,
        "VALIDATION_ERROR": Fault.REJECTED,
        "RESOURCE_NOT_FOUND": Fault.MISSING,
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # a scope is missing
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(request=client.refresh, read=client.read_token, headers=client.shown, single_use=True),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange),
    read_error=stock.read_error,
    # No subscription: the application's page holds the addresses; a disabled resource is enabled there by hand.
    webhook=WebhookSource(
        signed="hex HMAC-SHA256 of the body, the application's secret",
        verify=hmac_sha256("x-bling-signature-256", encoding="hex", prefix="sha256="),
        read=webhook.read,
        per="app",
        secret=lambda credentials: credentials.client_secret.get_secret_value(),
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        refetch=client.refetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
        parts=mapping.PARTS,
        takes_stock=mapping.takes_stock,
    ),
    listings=ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.PAGE,
        parse=mapping.listings,
    ),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look, numbers=PHYSICAL),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.order_to_change),
)
