"""Correios: tracking, quotes and labels by the contract's REST APIs (CWS). There are no webhooks: we ask."""

from adapters.correios import client, freight, mapping
from hub import oauth
from hub.contract import Adapter, FreightSource, Kind, TokenSource, TrackingSource
from hub.faults import Fault
from hub.model import Limit

ADAPTER = Adapter(
    label="Correios",
    kind=Kind.CARRIER,
    docs="https://www.correios.com.br/atendimento/developers",
    credentials=client.Credentials,
    token=TokenSource(
        request=client.ask_token,
        read=client.read_token,
        headers=oauth.bearer,
        renew_on=frozenset({401, 403}),  # an expired token was seen as both
    ),
    limits=(
        Limit(burst=55, seconds=1.1),  # x-ratelimit-replenish-rate 50, x-ratelimit-burst-capacity 55; 429 has no body
        Limit(burst=3, seconds=1, operation="token"),
    ),
    faults={
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # also a route that the contract has not switched on
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    read_error=mapping.error_code,
    check=client.check,
    tracking=TrackingSource(fetch=client.fetch, parse=mapping.parse, batch=client.TRACKING_BATCH),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=client.buy,
        read_purchase=freight.read_purchase,
        ask_label=client.ask_label,
        label=client.label,
        cancel=freight.cancellation,
        services=tuple(freight.SERVICES),
        find=client.find,
    ),
)
