"""Shopee in Brazil, Open Platform v2: each shop is an account under one application."""

from adapters.shopee import client, errors, listings, mapping, shipping, webhook
from hub import contract
from hub.model import Limit

ADAPTER = contract.Adapter(
    label="Shopee",
    kind=contract.Kind.MARKETPLACE,
    docs="https://open.shopee.com/documents",
    credentials=client.Credentials,
    limits=(Limit(burst=10, seconds=1, assumed=True),),  # no figure is published
    faults=errors.FAULTS,
    check=client.check,
    token=contract.TokenSource(
        request=client.refresh,
        read=client.read_token,
        headers=client.shown,
        renew_on=errors.STALE_TOKEN,
        single_use=True,
    ),
    oauth=contract.OAuth(
        authorize=client.authorize,
        exchange=client.exchange,
        app=("partner_id", "partner_key"),
        tells={"shop_id": "shop_id"},
    ),
    sign=client.sign,
    read_error=errors.read_error,
    until=errors.until,
    webhook=contract.WebhookSource(
        signed="hex HMAC-SHA256 of url|body, the partner key",
        verify=webhook.verify,
        read=webhook.read,
        per="app",
        deadline_ms=3000,
        secret=lambda credentials: credentials.partner_key.get_secret_value(),
        subscribe=client.subscribe,
        missed=client.missed,
    ),
    orders=contract.OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
        takes_stock=mapping.takes_stock,
        own_label=mapping.OWN_LABEL,
    ),
    listings=contract.ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.DETAILS,
        parse=listings.listings,
    ),
    stock=contract.StockSink(
        render=listings.render, read=listings.read, look=client.look, batch=listings.BATCH, asked=listings.asked
    ),
    # An NF-e is taken as a file (upload_invoice_doc): its key alone cannot be told.
    shipments=contract.ShipmentSink(render=shipping.arranged, prepare=client.before_shipping),
)
