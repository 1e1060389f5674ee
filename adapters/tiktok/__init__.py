"""TikTok Shop in Brazil, API of 202309 and later: each shop is an account under one application."""

from adapters.tiktok import client, errors, listings, mapping, shipping, webhook
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

ADAPTER = Adapter(
    label="TikTok Shop",
    kind=Kind.MARKETPLACE,
    docs="https://partner.tiktokshop.com/docv2",
    credentials=client.Credentials,
    limits=(Limit(burst=10, seconds=1, assumed=True),),  # a leaky bucket per shop, of which no figure is published
    faults=errors.FAULTS,
    check=client.check,
    token=TokenSource(
        request=client.refresh,
        read=client.read_token,
        headers=client.shown,
        renew_on=frozenset({401, "105002"}),
        single_use=True,  # whether a refresh token may be used twice is not documented
    ),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange, app=("app_key", "app_secret")),
    sign=client.sign,
    read_error=errors.read_error,
    webhook=WebhookSource(
        signed="hex HMAC-SHA256 of the application's key and the body, the application's secret",
        verify=webhook.verify,
        read=webhook.read,
        per="app",
        deadline_ms=3000,
        secret=lambda credentials: f"{credentials.app_key}:{credentials.app_secret.get_secret_value()}",
        subscribe=client.subscribe,
        unsubscribe=client.unsubscribe,
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
        takes_stock=mapping.takes_stock,
        orders_of_shipment=client.orders_of_package,
        own_label=mapping.OWN_LABEL,
    ),
    listings=ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.DETAILS,
        parse=listings.listings,
    ),
    stock=StockSink(
        render=listings.render,
        read=listings.read,
        look=client.look,
        batch=listings.BATCH,
        asked=listings.asked,
    ),
    # Of a parcel that TikTok carries its own carriers tell; an NF-e is taken as a file, not by its key.
    shipments=ShipmentSink(render=shipping.shipped, prepare=client.before_shipping),
)
