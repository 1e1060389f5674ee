"""Total Express: tracking told as a feed of lots, questions about codes beside it, quotes and postings; no labels."""

from adapters.totalexpress import client, freight, mapping
from hub.contract import Adapter, FreightSource, Kind, TrackingSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Total Express",
    kind=Kind.CARRIER,
    docs="https://edi.totalexpress.com.br/webservice24.php?wsdl",
    credentials=client.Credentials,
    limits=(
        Limit(burst=5, seconds=1, assumed=True),
        Limit(burst=1, seconds=client.FEED_SECONDS + 5, operation=client.FEED),  # sooner: CodigoProc 5
    ),
    faults={
        "ObterTracking/0": Fault.AUTH,
        "ObterTracking/2": Fault.TRANSIENT,
        "ObterTracking/3": Fault.REJECTED,
        "ObterTracking/4": Fault.TRANSIENT,
        "ObterTracking/5": Fault.THROTTLED,
        "calcularFrete/0": Fault.AUTH,
        "ip_blocked": Fault.AUTH,  # "Seu IP foi arquivado para controle": only they can lift it
        "soap_fault": Fault.REJECTED,
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        429: Fault.THROTTLED,
        500: Fault.TRANSIENT,
        502: Fault.TRANSIENT,
        503: Fault.TRANSIENT,
        504: Fault.TRANSIENT,
    },
    read_error=mapping.error_code,
    until=client.until,
    check=client.check,
    tracking=TrackingSource(
        fetch=client.fetch,
        parse=mapping.parse,
        batch=client.TRACKING_BATCH,
        code_of=client.code_of,
        feed=client.feed,
        feed_seconds=client.FEED_SECONDS,
    ),
    # Cancelling is published nowhere, and the label is laid out by the sender himself.
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.buy,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        ask_label=None,
        label=None,
        cancel=None,
        services=tuple(freight.SERVICES),
    ),
)
