"""Events out over the API: where they go, what became of each, sending again, and the same events as a feed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from hub import events as decide
from hub.store import endpoints, events
from hub.web import event_words
from hub.web.api.operations import Answer, Call, Operation, conflict, missing
from hub.web.api.operations import ById as ByRow
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, AskedInstant, ById, Code, Instant, Paging, Told, Words
from hub.web.i18n import N_
from jobs import events as flow
from jobs.courier import Courier
from jobs.events import EventRefused

TAG = "events"
READ, WRITE = "events:read", "events:write"
ByNumber = tuple[int]
State = Literal["due", "sent", "failed", "superseded"]
NO_ENDPOINT, NO_DELIVERY = N_("Não há este destino."), N_("Não há este envio.")
KINDS = N_("Os tipos que ele recebe; null: todos.")


class Event(Told):
    """An event as it is sent: the same id, the same data."""

    id: str = Field(description=N_("O webhook-id."))
    type: str
    timestamp: Instant
    data: dict[str, Any] = Field(description=N_("Como em docs/EVENTS.md; version cresce a cada evento da loja."))


class FeedQuery(Paging):
    """From where on, and of which kind."""

    after: int = Field(default=0, ge=0, le=2**62, description=N_("O data.version do último evento lido."))
    type: Code | None = None


class Endpoint(Told):
    """Where events go. `waiting` and `failed` count up to 10001."""

    id: UUID
    url: str
    description: str
    events: list[str] | None = Field(validation_alias="kinds", description=KINDS)
    created_at: Instant
    disabled_at: Instant | None
    disabled_why: Literal["person", "gone", "failing"] | None
    failures: int = Field(description=N_("Seguidas, até agora."))
    failing_since: Instant | None
    succeeded_at: Instant | None
    problem: str | None = Field(description=N_("Da última falha: o status, ou uma palavra como timeout."))
    old_secret_until: Instant | None = Field(validation_alias="old_until")
    waiting: int
    failed: int


class Endpoints(Told):
    """All of them: a shop has at most 20."""

    data: list[Endpoint]


class Secret(Told):
    """An endpoint and its secret, which no other answer tells."""

    endpoint: Endpoint
    secret: str


class NewEndpoint(Asked):
    """An endpoint to make."""

    url: Words
    events: list[Code] | None = Field(default=None, description=KINDS)
    description: Words = ""


class EndpointChange(Asked):
    """What changes; what is not given stays."""

    url: Words | None = None
    events: list[Code] | None = Field(default=None, description=KINDS)
    description: Words | None = None
    enabled: bool | None = None


class Delivery(Told):
    """An event on its way to an endpoint, and how its last attempt ended."""

    id: UUID
    type: str = Field(validation_alias="kind")
    state: State
    reason: Literal["attempts", "gone", "disabled"] | None
    attempts: int
    due_at: Instant | None
    created_at: Instant
    finished_at: Instant | None


class DeliveryRow(Delivery):
    """One line of the log."""

    tried_at: Instant | None
    status: int | None
    problem: str | None
    ms: int | None


class Attempt(Told):
    """One request. `problem` null: it was taken."""

    at: Instant
    ms: int
    status: int | None
    problem: str | None
    answer: str = Field(description=N_("O começo da resposta, com o que parece segredo mascarado."))


class DeliveryWhole(Delivery):
    """With what was sent and every attempt."""

    endpoint_id: UUID
    event: Event
    tried: list[Attempt]


class LogQuery(Paging):
    """Which deliveries."""

    state: State | None = None


class Since(Asked):
    """From when on."""

    since: AskedInstant


class Replayed(Told):
    """How many are to be sent again; 10000: there may be more."""

    count: int


@contextmanager
def _obeyed() -> Iterator[None]:
    """A flow's refusal as a problem that names the field."""
    try:
        yield
    except EventRefused as refusal:
        sentence = event_words.REFUSAL[refusal.kind]
        if refusal.kind in ("gone", "no_delivery"):
            raise missing(sentence) from None
        if refusal.kind in ("disabled", "many"):
            raise conflict(sentence, **refusal.params) from None
        field = "url" if event_words.FIELD.get(refusal.kind) == "url" else "events"
        raise wrong(field, sentence, **refusal.params) from None


def _event(row: Mapping[str, Any], event_id: UUID) -> Event:
    return Event.model_validate({"id": decide.message_id(event_id), **json.loads(row["body"])})


async def feed(call: Call) -> Answer:
    """The oldest first; nothing is missed, whatever commits late."""
    asked = call.query(FeedQuery)
    after = call.after[0] if call.after else asked.after
    async with call.tx() as tx:
        rows = await events.feed(tx, after, [asked.type] if asked.type else None, call.limit)
    return call.part(rows, lambda row: _event(row, row["id"]), "number")


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────


async def list_endpoints(call: Call) -> Answer:
    """The oldest first."""
    async with call.tx() as tx:
        return Endpoints(data=[Endpoint.model_validate(row) for row in await endpoints.every(tx)])


async def _endpoint(call: Call, endpoint_id: UUID) -> dict[str, Any]:
    async with call.tx() as tx:
        row = await endpoints.one(tx, endpoint_id)
    if row is None:
        raise missing(NO_ENDPOINT)
    return row


async def add_endpoint(call: Call) -> Answer:
    """It is told what happens from now on. The answer is kept for a day, so it has no secret: `rotate` gives one."""
    asked = call.body(NewEndpoint)
    with _obeyed():
        made = await flow.add(call.rt, call.seller, asked.url, asked.events, asked.description)
    return Endpoint.model_validate(await _endpoint(call, made.id))


async def change_endpoint(call: Call) -> Answer:
    """Its secret stays."""
    asked, endpoint_id = call.body(EndpointChange), call.path(ById).id
    await _endpoint(call, endpoint_id)
    told = asked.model_dump(include={"url", "description"}, exclude_none=True)
    if "events" in asked.model_fields_set:
        told["kinds"] = asked.events
    with _obeyed():
        await flow.change(call.rt, call.seller, endpoint_id, told, on=asked.enabled)
    return Endpoint.model_validate(await _endpoint(call, endpoint_id))


async def remove_endpoint(call: Call) -> Answer:
    """Its log goes with it."""
    with _obeyed():
        await flow.remove(call.rt, call.seller, call.path(ById).id)
    return None


async def rotate_secret(call: Call) -> Answer:
    """For a day the secret before signs too."""
    with _obeyed():
        made = await flow.rotate(call.rt, call.seller, call.path(ById).id)
    return Secret(endpoint=Endpoint.model_validate(await _endpoint(call, made.id)), secret=made.secret)


async def test_endpoint(call: Call) -> Answer:
    """Sent right now; what was answered is in `tried`."""
    endpoint_id = call.path(ById).id
    with _obeyed():
        made = await flow.test(call.rt, call.seller, endpoint_id)
    await Courier(call.rt).send_now(call.seller, endpoint_id, made)
    return await _delivery(call, made)


# ── log and replay ──────────────────────────────────────────────────────────────────────────────────────────


async def list_deliveries(call: Call) -> Answer:
    """The newest first."""
    known = await _endpoint(call, call.path(ById).id)
    after = call.after[0] if call.after else None
    async with call.tx() as tx:
        rows = await endpoints.log(tx, known["id"], state=call.query(LogQuery).state, after=after, limit=call.limit)
    return call.part(rows, DeliveryRow.model_validate, "id")


async def _delivery(call: Call, delivery_id: UUID) -> DeliveryWhole:
    async with call.tx() as tx:
        row = await endpoints.delivery(tx, delivery_id)
        tried = await endpoints.attempts(tx, delivery_id)
    if row is None:
        raise missing(NO_DELIVERY)
    return DeliveryWhole.model_validate(
        {**row, "event": _event(row, row["event_id"]), "tried": [Attempt.model_validate(each) for each in tried]}
    )


async def show_delivery(call: Call) -> Answer:
    """What was sent, and every attempt."""
    return await _delivery(call, call.path(ById).id)


async def replay(call: Call) -> Answer:
    """With the same id and the same body, as if for the first time."""
    with _obeyed():
        await flow.replay(call.rt, call.seller, call.path(ById).id)
    return await _delivery(call, call.path(ById).id)


async def replay_failed(call: Call) -> Answer:
    """The oldest first, up to 10000 at once."""
    with _obeyed():
        count = await flow.replay_failed(call.rt, call.seller, call.path(ById).id, call.body(Since).since)
    return Replayed(count=count)


OPERATIONS = (
    Operation(
        name="list_events", method="GET", path="/events", handler=feed, scope=READ, tag=TAG, query=FeedQuery,
        summary=N_("O que aconteceu, em ordem, para quem não pode receber"), answer=Event, place=ByNumber,
    ),
    Operation(
        name="list_event_endpoints", method="GET", path="/event-endpoints", handler=list_endpoints, scope=READ, tag=TAG,
        summary=N_("Destinos dos eventos"), answer=Endpoints,
    ),
    Operation(
        name="add_event_endpoint", method="POST", path="/event-endpoints", handler=add_endpoint, scope=WRITE, tag=TAG,
        summary=N_("Criar um destino"), answer=Endpoint, body=NewEndpoint, status=201, once="apart",
        description=N_("O segredo que assina vem de rotate_event_secret: nenhuma resposta guardada o tem."),
        example={"url": "https://erp.loja.example/eventos", "events": ["order.created"]},
    ),
    Operation(
        name="change_event_endpoint", method="PATCH", path="/event-endpoints/{id}", handler=change_endpoint,
        scope=WRITE, tag=TAG, summary=N_("Mudar, desligar ou ligar um destino"), answer=Endpoint, named=ById,
        body=EndpointChange,
        example={"enabled": False},
    ),
    Operation(
        name="remove_event_endpoint", method="DELETE", path="/event-endpoints/{id}", handler=remove_endpoint,
        scope=WRITE, tag=TAG, summary=N_("Remover um destino"), answer=None, named=ById, status=204,
    ),
    Operation(
        name="rotate_event_secret", method="POST", path="/event-endpoints/{id}/rotate", handler=rotate_secret,
        scope=WRITE, tag=TAG, summary=N_("Trocar o segredo"), answer=Secret, named=ById,
    ),
    Operation(
        name="test_event_endpoint", method="POST", path="/event-endpoints/{id}/test", handler=test_endpoint,
        scope=WRITE, tag=TAG, summary=N_("Enviar um evento de teste"), answer=DeliveryWhole, named=ById,
    ),
    Operation(
        name="list_event_deliveries", method="GET", path="/event-endpoints/{id}/deliveries", handler=list_deliveries,
        scope=READ, tag=TAG, summary=N_("O registro de um destino"), answer=DeliveryRow, named=ById, query=LogQuery,
        place=ByRow,
    ),
    Operation(
        name="replay_failed_events", method="POST", path="/event-endpoints/{id}/replay", handler=replay_failed,
        scope=WRITE, tag=TAG, summary=N_("Reenviar o que falhou desde um instante"), answer=Replayed, named=ById,
        body=Since,
        example={"since": "2026-11-22T08:00:00Z"},
    ),
    Operation(
        name="show_event_delivery", method="GET", path="/event-deliveries/{id}", handler=show_delivery, scope=READ,
        tag=TAG, summary=N_("Um envio, com cada tentativa"), answer=DeliveryWhole, named=ById,
    ),
    Operation(
        name="replay_event", method="POST", path="/event-deliveries/{id}/replay", handler=replay, scope=WRITE, tag=TAG,
        summary=N_("Reenviar um evento"), answer=DeliveryWhole, named=ById,
    ),
)  # fmt: skip
