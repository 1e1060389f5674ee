"""DHL Express: tracking, rates and shipments with their label by MyDHL API. There are no webhooks: we ask."""

from adapters.dhl import client, freight, mapping
from hub.contract import Adapter, FreightSource, Kind, TrackingSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="DHL Express",
    kind=Kind.CARRIER,
    docs="https://developer.dhl.com/api-reference/dhl-express-mydhl-api",
    credentials=client.Credentials,
    limits=(Limit(burst=5, seconds=1, assumed=True),),  # a quota per application and day, agreed upon one by one
    faults={
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
        "8003": Fault.AUTH,  # Account not allowed for this service
    },
    read_error=mapping.error_code,
    check=client.check,
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse, batch=client.TRACKING_BATCH),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.purchase,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        ask_label=None,  # it comes with the purchase, and get-image has only the archived waybill
        label=None,
        cancel=None,  # a shipment never handed over is never billed; only pickups can be cancelled
        divisors={"": 5000},
    ),
)
