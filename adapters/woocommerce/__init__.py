"""WooCommerce storefront, REST API v3. https://developer.woocommerce.com/docs/apis/rest-api/"""

from adapters.woocommerce import client, mapping, stock, webhook
from hub.contract import Adapter, Kind, ListingSource, OrderSource, ShipmentSink, StockSink, WebhookSource
from hub.faults import Fault
from hub.model import Limit

VERBS = ("view", "create", "edit", "delete", "batch")
THINGS = ("shop_order", "order", "product", "product_variation")

ADAPTER = Adapter(
    label="WooCommerce",
    kind=Kind.STOREFRONT,
    docs="https://developer.woocommerce.com/docs/apis/rest-api/",
    credentials=client.WooCredentials,
    check=client.check,
    # none in core; the host's firewall has its own
    limits=(Limit(burst=20, seconds=1.0, assumed=True),),
    faults={
        401: Fault.AUTH,
        403: Fault.TRANSIENT,  # a firewall: the store's own refusals carry a code, below
        404: Fault.MISSING,
        429: Fault.THROTTLED,
        "woocommerce_rest_authentication_error": Fault.AUTH,  # wrong key or secret; a read key that writes
        **{f"woocommerce_rest_cannot_{verb}": Fault.AUTH for verb in VERBS},
        "rest_forbidden": Fault.AUTH,
        "rest_no_route": Fault.MISSING,  # a plugin or a feature that this store does not have
        "rest_invalid_param": Fault.REJECTED,
        **{f"woocommerce_rest_{thing}_invalid_id": Fault.MISSING for thing in THINGS},
        "woocommerce_rest_invalid_product_id": Fault.REJECTED,  # a variation addressed as a product
        "woocommerce_rest_request_entity_too_large": Fault.REJECTED,
        stock.PLUGIN_ABSENT: Fault.MISSING,
        stock.NOT_COUNTED: Fault.REJECTED,
    },
    read_error=stock.error_code,
    webhook=WebhookSource(
        signed="base64 HMAC-SHA256 of the body",
        verify=webhook.verify,
        read=webhook.read,
        is_ping=webhook.is_ping,
        subscribe=client.subscribe,
        unsubscribe=client.unsubscribe,
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        parse=mapping.order,
        takes_stock=mapping.takes_stock,
        latest=client.latest_orders,
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=StockSink(render=stock.render, read=stock.read, look=client.look, batch=stock.BATCH, asked=stock.sent),
    shipments=ShipmentSink(render=stock.shipped, targets=tuple(stock.TARGETS)),
)
