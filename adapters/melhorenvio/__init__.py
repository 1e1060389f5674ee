"""Melhor Envio, which sells the labels of many carriers: tracking by milestones, quotes, labels, signed webhooks."""

from adapters.melhorenvio import client, freight, mapping, webhook
from hub import oauth
from hub.contract import Adapter, FreightSource, Kind, OAuth, TokenSource, TrackingSource, WebhookSource
from hub.faults import Fault
from hub.model import Limit
from hub.signing import hmac_sha256

ADAPTER = Adapter(
    label="Melhor Envio",
    kind=Kind.CARRIER,
    docs="https://docs.melhorenvio.com.br",
    credentials=client.Credentials,
    limits=(Limit(burst=250, seconds=60),),  # per authenticated user
    faults={
        **oauth.FAULTS,  # invalid_grant: the refresh token is 45 days old, or was used
        "refused": Fault.REJECTED,  # a sentence under `error`, also inside a 200
        "not_canceled": Fault.REJECTED,  # {uuid: {canceled: false}} inside a 200
        400: Fault.REJECTED,
        401: Fault.AUTH,
        403: Fault.AUTH,  # a scope is missing, which one is not said: the seller must consent anew
        404: Fault.MISSING,
        422: Fault.REJECTED,
        429: Fault.THROTTLED,
    },
    check=client.check,
    token=TokenSource(request=client.refresh, read=client.read_token, headers=oauth.bearer, single_use=True),
    oauth=OAuth(authorize=client.authorize, exchange=client.exchange),
    sign=client.sign,
    read_error=mapping.error_code,
    # No subscription: addresses are registered by hand, in the application's page of the panel.
    webhook=WebhookSource(
        signed="base64 HMAC-SHA256 of the body, the application's secret",
        verify=hmac_sha256("x-me-signature", encoding="base64"),
        read=webhook.read,
        is_ping=webhook.is_ping,
        per="app",
        deadline_ms=6000,  # five tries, 15 minutes apart, then dropped
        secret=oauth.client_secret,
    ),
    tracking=TrackingSource(
        fetch=client.fetch, parse=mapping.parse, batch=client.TRACKING_BATCH, code_of=mapping.code_of
    ),
    freight=FreightSource(
        quote=client.quote,
        read_quotes=freight.read_quotes,
        buy=freight.cart_item,
        read_purchase=freight.read_purchase,
        find=client.find,
        settle=client.settle,
        ask_label=client.ask_label,
        label=client.label,
        cancel=freight.cancellation,
        withdrawn=client.withdrawn,
    ),
)
