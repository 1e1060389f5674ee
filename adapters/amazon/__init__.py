"""Amazon.com.br, Selling Partner API: orders v0, listings 2021-08-01, numbers that take effect minutes later."""

from functools import partial

from adapters.amazon import client, mapping, stock, webhook
from hub import oauth
from hub.contract import Adapter, Kind, ListingSource, OAuth, OrderSource, ShipmentSink, TokenSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import shared_secret
from hub.sinks import by_looking, one_by_one

ADAPTER = Adapter(
    label="Amazon",
    kind=Kind.MARKETPLACE,
    docs="https://developer-docs.amazon.com/sp-api",
    credentials=client.Credentials,
    limits=(  # a bucket per application, seller and operation: tokens that refill evenly
        Limit(burst=20, seconds=1200, operation="orders"),  # getOrders: 0.0167 a second
        Limit(burst=30, seconds=60, operation="order"),  # getOrder: 0.5 a second
        Limit(burst=30, seconds=60, operation="order_items"),
        Limit(burst=10, seconds=10, operation="restricted", assumed=True),  # createRestrictedDataToken
        Limit(burst=5, seconds=1, operation="listings"),
        Limit(burst=10, seconds=2, operation="listing"),
        Limit(burst=5, seconds=1, operation="stock"),
        Limit(burst=10, seconds=5, operation="shipment"),
        Limit(burst=50, seconds=1, assumed=True),  # of all operations together nothing is published
    ),
    faults={
        **oauth.FAULTS,  # invalid_grant: the authorization was withdrawn, or its year is over
        "Unauthorized": Fault.AUTH,  # an expired token, or a role that the application does not have
        "NOT_FOUND": Fault.MISSING,  # of listings
        "QuotaExceeded": Fault.THROTTLED,
        401: Fault.AUTH,
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(
        request=client.refresh,
        read=partial(oauth.token_of, read_error=stock.read_error),
        headers=client.shown,
        renew_on=frozenset({401, 403}),
    ),
    oauth=OAuth(
        authorize=client.authorize,
        exchange=client.exchange,
        app=("application_id", "client_id", "client_secret"),
        code="spapi_oauth_code",
        tells={"selling_partner_id": "seller_id"},
    ),
    sign=client.sign,
    read_error=stock.read_error,
    # Amazon posts to nobody: it puts events on a bus of the seller's own AWS account. A rule there with this address
    # as API destination brings them here; reading an SQS queue would need that account's keys, which we do not ask for.
    webhook=WebhookSource(
        signed="x-api-key: the key typed into the EventBridge connection",
        body_signed=False,
        verify=shared_secret("x-api-key"),
        read=webhook.read,
        secret=lambda credentials: credentials.event_key.get_secret_value() if credentials.event_key else None,
    ),
    orders=OrderSource(
        fetch=client.fetch_order,
        since=client.orders_since,  # also what is asked before a number is written: no list is cheaper, see limits
        parse=mapping.order,
        takes_stock=mapping.takes_stock,
        own_label=mapping.OWN_LABEL,
    ),
    listings=ListingSource(pages=client.listing_pages, fetch=client.fetch_listing, parse=mapping.listings),
    stock=one_by_one(stock.render, stock.read, stock.sent, client.look, ask=by_looking(client.look)),
    shipments=ShipmentSink(render=stock.shipped, prepare=client.order_there),
)
