"""Frenet: prices and tracking of many carriers by its gateway, labels by its white label; notices with our token."""

from adapters.frenet import client, freight, mapping, webhook
from hub.contract import Adapter, FreightSource, Kind, TrackingSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Frenet",
    kind=Kind.CARRIER,
    docs="https://docs.frenet.com.br",
    credentials=client.Credentials,
    limits=(Limit(burst=5, seconds=1, assumed=True),),  # none is published
    faults={
        mapping.SERVER_FAULT: Fault.TRANSIENT,  # a 200 that tells of an exception of theirs
        mapping.DENIED: Fault.AUTH,
        "3000": Fault.REJECTED,  # saldo insuficiente
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    read_error=mapping.error_code,
    check=client.check,
    # No subscription: the address goes along with each shipment that is made, our token in it; labels that are bought
    # in Frenet's panel send no notices.
    webhook=WebhookSource(
        signed="our token, in the header X-Balcao-Token or as ?token= of the address",
        body_signed=False,
        verify=webhook.verify,
        read=webhook.read,
        secret=lambda known: known.webhook_token.get_secret_value() if known.webhook_token else None,
        deadline_ms=10_000,  # assumed
    ),
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse_tracking, batch=1, code_of=mapping.code_of),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.shipment,
        complete=client.complete,
        read_purchase=freight.read_purchase,
        find=client.find,
        settle=client.settle,
        ask_label=client.ask_label,
        label=client.label,
        cancel=freight.cancellation,
        withdrawn=client.withdrawn,
    ),
)
