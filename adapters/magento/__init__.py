"""Magento 2 and Adobe Commerce, REST with multi-source inventory. It sends no webhooks: orders are polled."""

from adapters.magento import client, mapping, stock
from hub.contract import PHYSICAL, Adapter, Kind, ListingSource, OrderSource, ShipmentSink, StockSink
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Magento",
    kind=Kind.STOREFRONT,
    docs="https://developer.adobe.com/commerce/webapi/rest/",
    credentials=client.Credentials,
    limits=(Limit(burst=10, seconds=1.0, assumed=True),),  # none by default; the host's firewall has its own
    faults={
        400: Fault.REJECTED,
        401: Fault.AUTH,  # also: the integration may not use this resource
        403: Fault.AUTH,
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    check=client.check,
    sign=client.sign,
    orders=OrderSource(
        fetch=client.fetch_order, since=client.orders_since, latest=client.latest_orders, parse=mapping.order
    ),
    listings=ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.PAGE,
        parse=mapping.listings,
    ),
    stock=StockSink(
        render=stock.render,
        read=stock.read,
        look=client.look,
        batch=stock.BATCH,
        atomic=True,
        numbers=PHYSICAL,
        asked=stock.sent,
    ),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.shipments_of),
)
