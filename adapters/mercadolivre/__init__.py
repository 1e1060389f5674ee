"""Mercado Livre, site MLB: each seller is an account under one OAuth application."""

from adapters.mercadolivre import client, listings, mapping, webhook
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
        "invalid_grant": Fault.AUTH,  # used, revoked, password changed: never to be retried
        "invalid_client": Fault.AUTH,
        "invalid_scope": Fault.AUTH,
        "unauthorized_client": Fault.AUTH,
        "unauthorized_application": Fault.AUTH,
        "unauthorized_scopes": Fault.AUTH,
        "invalid_operator_user_id": Fault.AUTH,  # granted by a collaborator, not by the administrator
        "PA_UNAUTHORIZED_RESULT_FROM_POLICIES": Fault.AUTH,
        "local_rate_limited": Fault.THROTTLED,
        "too_many_requests": Fault.THROTTLED,
        "EXCESSIVE_API_CALL": Fault.THROTTLED,  # too many 4xx: the application is blocked for a while
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.REJECTED,
        404: Fault.MISSING,
        408: Fault.TRANSIENT,
        409: Fault.TRANSIENT,  # item optimistic locking: wait some seconds
        410: Fault.MISSING,
        423: Fault.TRANSIENT,
        424: Fault.TRANSIENT,
        429: Fault.THROTTLED,
        500: Fault.TRANSIENT,
        502: Fault.TRANSIENT,
        503: Fault.TRANSIENT,
        504: Fault.TRANSIENT,
    },
    check=client.check,
    token=TokenSource(request=client.refresh, read=client.read_token, headers=client.bearer, single_use=True),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange),
    read_error=listings.read_error,
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
        orders_of_shipment=client.orders_of_shipment,
    ),
    listings=ListingSource(
        pages=client.listing_pages,
        fetch=client.fetch_listing,
        fetch_many=client.fetch_listings,
        batch=client.MULTIGET,
        parse=listings.listings,
    ),
    stock=StockSink(
        render=listings.stock_requests,
        read=listings.stock_outcomes,
        look=client.look,
        asked=lambda request: listings.stock_writes(request.path, request.json),
        compare_and_set=lambda write: write.location_ref is not None,
    ),
    shipments=ShipmentSink(render=mapping.seller_notifications, targets=("seller_notifications",)),
)
