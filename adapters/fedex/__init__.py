"""FedEx: tracking by thirty with signed webhooks beside it, quotes, labels that come with the purchase, cancels."""

from adapters.fedex import client, freight, mapping, webhook
from hub import oauth
from hub.contract import Adapter, FreightSource, Kind, TokenSource, TrackingSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="FedEx",
    kind=Kind.CARRIER,
    docs="https://developer.fedex.com/api/en-us/catalog.html",
    credentials=client.Credentials,
    token=TokenSource(request=client.ask_token, read=client.read_token, headers=oauth.bearer),
    limits=(
        Limit(burst=1400, seconds=10, per="app"),
        Limit(burst=500_000, seconds=86_400, per="app"),  # of the organization, whatever its projects
        Limit(burst=100_000, seconds=86_400, per="app", operation="track"),
        Limit(burst=1, seconds=1, per="ip", operation="token", assumed=True),  # more of it locks the address out
    ),
    faults={
        mapping.DAILY_QUOTA: Fault.THROTTLED,
        mapping.CANCEL_REFUSED: Fault.REJECTED,
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    read_error=mapping.read_error,
    until=mapping.until,
    sign=client.speak,
    check=client.check,
    # No subscription: Advanced Integrated Visibility is made on the developer portal, for an account's number.
    webhook=WebhookSource(
        signed="fdx-signature: base64 HMAC-SHA256 of the body, the security token",
        verify=webhook.verify,
        read=webhook.read,
        secret=client.security_token,
    ),
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse, batch=client.TRACKING_BATCH),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.buy,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        ask_label=None,  # it comes with the purchase, and cannot be asked for again
        label=None,
        cancel=freight.cancellation,
    ),
)
