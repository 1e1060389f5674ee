"""Mercado Livre, site MLB: each seller is an account under one OAuth application."""

from adapters.mercadolivre import client, mapping, stock, webhook
from hub import oauth
from hub.contract import (
    Adapter,
    Kind,
    LabelSource,
    ListingSource,
    OAuth,
    OrderSource,
    ShipmentSink,
    StockSink,
    TokenSource,
    WebhookSource,
)
from hub.faults import Fault
from hub.model import Limit
from hub.signing import unsigned

ADAPTER = Adapter(
    label="Mercado Livre",
    kind=Kind.MARKETPLACE,
    docs="https://developers.mercadolivre.com.br",
    credentials=client.Credentials,
    limits=(
        Limit(burst=1500, seconds=60, assumed=True),  # no general figure is published
        Limit(burst=100, seconds=60, per="app", operation="user_product_stock"),
    ),
    faults={
        **oauth.FAULTS,  # invalid_grant: used, revoked, password changed
        "unauthorized_application": Fault.AUTH,
        "unauthorized_scopes": Fault.AUTH,
        "invalid_operator_user_id": Fault.AUTH,  # granted by a collaborator, not by the administrator
        "PA_UNAUTHORIZED_RESULT_FROM_POLICIES": Fault.AUTH,
        "local_rate_limited": Fault.THROTTLED,
        "too_many_requests": Fault.THROTTLED,
        "EXCESSIVE_API_CALL": Fault.THROTTLED,  # too many 4xx: the application is blocked for a while
        401: Fault.AUTH,
        **dict.fromkeys((400, 403), Fault.REJECTED),
        **dict.fromkeys((404, 410), Fault.MISSING),
        **dict.fromkeys((408, 409, 423, 424, 500, 502, 503, 504), Fault.TRANSIENT),  # 409: optimistic locking
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(request=client.refresh, read=client.read_token, headers=oauth.bearer, single_use=True),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange),
    read_error=stock.read_error,
    # No subscription: callback and topics are set by hand in the application's page.
    webhook=WebhookSource(
        signed="none", verify=unsigned, read=webhook.read, per="app", deadline_ms=500, missed=client.missed
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,
        refetch=client.refetch_order,
        latest=client.latest_orders,
        parse=mapping.order,
        parts=mapping.PARTS,
        own_label=mapping.OWN_LABEL,
        orders_of_shipment=client.orders_of_shipment,
    ),
    listings=ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.MULTIGET,
        parse=mapping.listings,
    ),
    stock=StockSink(
        render=stock.render,
        read=stock.read,
        look=client.look,
        asked=stock.asked,
        compare_and_set=lambda write: write.location_ref is not None,
    ),
    shipments=ShipmentSink(render=stock.shipped, targets=("seller_notifications",)),
    labels=LabelSource(
        services=mapping.LABELLED, look=client.fetch_shipment, standing=mapping.label, fetch=client.fetch_label
    ),
)
