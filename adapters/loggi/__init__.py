"""Loggi: tracking by its contract API and webhook, quotes, shipments made asynchronously, labels."""

from adapters.loggi import client, freight, mapping, webhook
from hub import oauth
from hub.contract import Adapter, FreightSource, Kind, TokenSource, TrackingSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Loggi",
    kind=Kind.CARRIER,
    docs="https://docs.api.loggi.com",
    credentials=client.Credentials,
    token=TokenSource(request=client.ask_token, read=client.read_token, headers=oauth.bearer),
    limits=(Limit(burst=5, seconds=1, assumed=True),),  # told only as a 429
    faults={
        **dict.fromkeys(("unauthenticated", "permission_denied"), Fault.AUTH),
        **dict.fromkeys(("invalid_argument", "already_exists", "failed_precondition"), Fault.REJECTED),
        **dict.fromkeys(("out_of_range", "unimplemented", mapping.CANCEL_WARNING), Fault.REJECTED),
        **dict.fromkeys(("deadline_exceeded", "aborted", "internal", "unavailable"), Fault.TRANSIENT),
        "resource_exhausted": Fault.THROTTLED,
        "not_found": Fault.MISSING,
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # another company's
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    read_error=mapping.error_code,
    check=client.check,
    # No subscription: Loggi's sales team types in the address, a user and a password, which the seller tells us too.
    webhook=WebhookSource(
        signed="HTTP Basic, a user and password agreed with Loggi",
        body_signed=False,
        verify=webhook.verify,
        read=webhook.read,
        secret=webhook.secret,
    ),
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.buy,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        ask_label=client.ask_label,
        label=client.label,
        cancel=freight.cancellation,
        services=freight.SERVICES,
    ),
)
