"""Loja Integrada storefront. Facts come from surveys of its definition: what is marked assumed was never seen live."""

from adapters.lojaintegrada import client, mapping, stock, webhook
from hub.contract import PHYSICAL, Adapter, Kind, ListingSource, OrderSource, ShipmentSink, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import shared_secret
from hub.sinks import one_by_one

ADAPTER = Adapter(
    label="Loja Integrada",
    kind=Kind.STOREFRONT,
    docs="https://lojaintegrada.docs.apiary.io",
    credentials=client.Credentials,
    limits=(
        Limit(burst=20, seconds=15),  # 100 in any minute of the store: 80 evenly, 20 at once
        Limit(burst=500, seconds=12, per="app"),  # 3,000 a minute of the application
        Limit(burst=200, seconds=12, per="ip"),  # 1,200 a minute of the address
    ),
    faults={
        "633": Fault.THROTTLED,  # of the store
        "533": Fault.THROTTLED,  # of the application
        "133": Fault.THROTTLED,  # of the address
        400: Fault.REJECTED,
        401: Fault.AUTH,  # also a personal token after its three months
        403: Fault.AUTH,  # an address that the key is not bound to; no paid plan
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    check=client.check,
    read_error=stock.read_error,
    webhook=WebhookSource(
        signed="our own token, repeated as Authorization: Bearer",
        body_signed=False,
        verify=shared_secret("authorization", prefix="Bearer "),
        read=webhook.read,
        subscribe=client.subscribe,
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        latest=client.latest_orders,
        parse=mapping.order,
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look, numbers=PHYSICAL),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.order_there),
)
