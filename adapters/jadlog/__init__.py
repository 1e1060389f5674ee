"""Jadlog: tracking, quotes and labels by the shipper's API (Embarcador). There are no webhooks: we ask."""

from adapters.jadlog import client, freight, mapping
from hub.contract import Adapter, FreightSource, Kind, TrackingSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Jadlog",
    kind=Kind.CARRIER,
    docs="https://github.com/Jadlog/woocommerce",  # the API's own manual is not public; this plug-in is theirs
    credentials=client.Credentials,
    limits=(Limit(burst=5, seconds=1, assumed=True),),  # none is published
    faults={
        "TOKEN INVALIDO": Fault.AUTH,
        "erro": Fault.REJECTED,  # inside a 200
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        429: Fault.THROTTLED,
    },
    read_error=mapping.error_code,
    check=client.check,
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse_tracking, batch=client.TRACKING_BATCH),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.order,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        find=client.find,
        settle=client.settle,
        ask_label=None,  # it comes with the purchase, and cannot be asked for again
        label=None,
        cancel=freight.cancellation,
        services=freight.ASKED,
        divisors=freight.DIVISORS,
    ),
)
