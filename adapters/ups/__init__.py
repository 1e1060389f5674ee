"""UPS: tracking one number at a time with alerts beside it, quotes, labels, voids; by OAuth client credentials."""

from adapters.ups import client, freight, mapping, webhook
from hub import oauth
from hub.contract import Adapter, FreightSource, Kind, TokenSource, TrackingSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import shared_secret

ADAPTER = Adapter(
    label="UPS",
    kind=Kind.CARRIER,
    docs="https://developer.ups.com/api/reference",
    credentials=client.Credentials,
    token=TokenSource(
        request=client.ask_token,
        read=client.read_token,
        headers=oauth.bearer,
        renew_on=frozenset({401, *mapping.STALE_TOKEN}),
    ),
    limits=(Limit(burst=10, seconds=1, assumed=True),),  # a 429 is documented, no figure is
    faults={
        **dict.fromkeys(mapping.STALE_TOKEN, Fault.AUTH),
        **dict.fromkeys(freight.NOT_THERE, Fault.MISSING),
        mapping.VOID_REFUSED: Fault.REJECTED,
        "VSS100": Fault.TRANSIENT,  # "temporarily unavailable. Please try again later"
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # "Blocked Merchant"
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    read_error=mapping.read_error,
    sign=client.name_request,
    check=client.check,
    webhook=WebhookSource(
        signed="credential: the secret given with the subscription",
        body_signed=False,
        verify=shared_secret("credential"),
        read=webhook.read,
    ),
    tracking=TrackingSource(
        fetch=client.fetch, parse=mapping.parse, watch=client.watch, watched_for=client.WATCHED_FOR
    ),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.buy,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        find=client.find,
        ask_label=client.ask_label,
        label=client.label,
        cancel=freight.cancellation,
    ),
)
