"""Shipments with their scans, what must leave first, and parcels that need a person."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from hub.store import deadline_screens, screens
from hub.web import deadline_words
from hub.web.api.operations import Answer, ByInstant, Call, Operation, missing
from hub.web.api.operations import ById as Place
from hub.web.api.shapes import ById, Code, Instant, Paging, Told
from hub.web.i18n import N_

TAG = "shipments"


class Shipment(Told):
    """A parcel."""

    id: UUID
    order_id: UUID | None
    order_number: str | None
    account: str
    channel: str
    ref: str
    carrier: str | None
    service: str | None
    tracking_code: str | None
    tracking_url: str | None
    status: str | None = Field(description=N_("O que a transportadora disse; null antes da primeira leitura."))
    deliver_by: Instant | None
    delayed: bool
    last_event_at: Instant | None
    told_channel: list[str] = Field(description=N_("O que o canal já sabe deste envio."))
    untold_reason: str | None = Field(description=N_("Por que o canal não pôde ser avisado."))
    track_error: str | None
    created_at: Instant


class Scan(Told):
    """What a carrier told."""

    at: Instant
    status: str
    description: str | None
    place: str | None
    state: str | None
    revoked: bool


class TrackedShipment(Shipment):
    """A parcel with its scans, oldest first."""

    events: list[Scan]


class Wanted(Paging):
    """Which shipments."""

    state: Literal["moving", "trouble", "delivered", "silent"] | None = None
    tracking_code: Code | None = None


def _facts(row: dict[str, object]) -> dict[str, object]:
    return {**row, "order_number": row["number"], "told_channel": row["news_told"], "untold_reason": row["news_parked"]}


async def every(call: Call) -> Answer:
    """Newest first."""
    wanted = call.query(Wanted)
    async with call.tx() as tx:
        rows = await screens.shipments(
            tx, state=wanted.state, search=wanted.tracking_code, before=call.after[0] if call.after else None,
            limit=call.limit,
        )  # fmt: skip
    return call.part(rows, lambda row: Shipment.model_validate(_facts(dict(row))), "id")


async def one(call: Call) -> Answer:
    """One with its scans."""
    id_ = call.path(ById).id
    async with call.tx() as tx:
        rows = await screens.shipments(tx, shipment_id=id_, limit=1)
        scans = await screens.scans(tx, [id_])
    if not rows:
        raise missing()
    return TrackedShipment.model_validate({**_facts(rows[0]), "events": scans})


# ── deadlines ───────────────────────────────────────────────────────────────────────────────────────────────

STAGES = ("on_time", "within_4_hours", "within_1_hour", "late")


class Deadline(Told):
    """An order that must leave."""

    order_id: UUID
    number: str
    account: str
    channel: str
    ship_by: Instant
    stage: Literal["on_time", "within_4_hours", "within_1_hour", "late"]
    by_policy: bool = Field(description=N_("O prazo é da loja: o canal não disse nenhum."))
    hold: str | None
    units: int
    short: int


async def deadlines(call: Call) -> Answer:
    """The most urgent first."""
    async with call.tx() as tx:
        rows = await deadline_screens.to_ship(tx, call.after, call.limit)
    told = [
        {**row, "order_id": row["id"], "stage": STAGES[row["ship_stage"]],
         "by_policy": row["ship_by_policy"] is not None and row["ship_by_policy"] == row["ship_by"]}
        for row in rows
    ]  # fmt: skip
    return call.part(told, Deadline.model_validate, "ship_by", "id")


class Trouble(Told):
    """A parcel that needs a person."""

    alert_id: UUID
    kind: str
    words: str
    severity: str
    since: Instant
    due_at: Instant | None
    shipment_id: UUID
    tracking_code: str | None
    carrier: str | None
    status: str | None
    deliver_by: Instant | None
    order_id: UUID | None
    order_number: str | None
    account: str
    last_at: Instant | None = Field(description=N_("A última leitura."))


class Troubles(Paging):
    """Which parcels."""

    view: Literal["late", "stuck", "pickup", "exceptions"] = "late"


VIEWS = {"late": "atrasados", "stuck": "parados", "pickup": "retirada", "exceptions": "problemas"}


async def troubles(call: Call) -> Answer:
    """The longest waiting first."""
    kinds = deadline_words.VIEWS[VIEWS[call.query(Troubles).view]][1]
    async with call.tx() as tx:
        rows = await deadline_screens.parcels(tx, kinds, call.after, call.limit)
    say = call.language.gettext
    told = [
        {**row, "alert_id": row["id"], "order_number": row["number"],
         "words": say(deadline_words.KIND.get(row["kind"], row["kind"]))}
        for row in rows
    ]  # fmt: skip
    return call.part(told, Trouble.model_validate, "since", "id")


OPERATIONS = (
    Operation(
        name="list_shipments", method="GET", path="/shipments", handler=every, scope="shipments:read", tag=TAG,
        summary=N_("Envios, os mais novos primeiro"), answer=Shipment, query=Wanted, place=Place,
    ),
    Operation(
        name="get_shipment", method="GET", path="/shipments/{id}", handler=one, scope="shipments:read", tag=TAG,
        summary=N_("Um envio, com o que a transportadora leu"), answer=TrackedShipment, named=ById,
    ),
    Operation(
        name="list_deadlines", method="GET", path="/deadlines", handler=deadlines, scope="orders:read", tag="orders",
        summary=N_("O que precisa sair, o mais urgente primeiro"), answer=Deadline, query=Paging, place=ByInstant,
    ),
    Operation(
        name="list_parcel_troubles", method="GET", path="/parcel-troubles", handler=troubles, scope="shipments:read",
        tag=TAG, summary=N_("Envios que precisam de uma pessoa"), answer=Trouble, query=Troubles, place=ByInstant,
    ),
)  # fmt: skip
