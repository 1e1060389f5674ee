"""Whether the hub's promises hold, how long work waits, and units that were sold and are not there."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from hub.backoffice import oversell
from hub.backoffice.oversell import Cause
from hub.store import cases, due, invariants, letters
from hub.web import audit_words
from hub.web.api.operations import Answer, ByInstant, Call, Operation, missing
from hub.web.api.shapes import ById, Instant, Paging, Told
from hub.web.i18n import N_
from jobs import shortages as flows

LATE = timedelta(minutes=30)  # a check is due every ten


class Lane(Told):
    """A kind of work: how much of it is due and nobody holds, and since when."""

    lane: str
    due: int
    oldest: Instant | None


class Broken(Told):
    """A promise that does not hold."""

    name: str
    words: str
    since: Instant | None
    examples: list[dict[str, Any]]


class Health(Told):
    """How the hub is."""

    ok: bool = Field(description=N_("Todas as invariantes valiam na última conferência, que não está atrasada."))
    checked_at: Instant | None
    late: bool = Field(description=N_("A conferência das invariantes está atrasada."))
    broken: list[Broken]
    lanes: list[Lane]
    dead_letters: int = Field(description=N_("O que está parado até alguém agir."))


async def show(call: Call) -> Answer:
    """Invariants and lanes."""
    async with call.tx() as tx:
        last = await invariants.last(tx)
        lanes = [(lane, await due.depth(tx, lane, call.now)) for lane in due.LANES]
        broken = [
            Broken(
                name=each["name"], words=audit_words.invariant(call.language, each["name"]),
                since=await invariants.since(tx, each["name"]), examples=each["rows"][:5],
            )
            for each in (last["broken"] if last else ())
        ]  # fmt: skip
        dead = sum((await letters.counts(tx)).values())
    late = last is None or call.now - last["at"] > LATE
    return Health(
        ok=not broken and not late, checked_at=last["at"] if last else None, late=late, broken=broken,
        lanes=[Lane(lane=lane, due=told["count"], oldest=told["oldest"]) for lane, told in lanes], dead_letters=dead,
    )  # fmt: skip


# ── shortages ───────────────────────────────────────────────────────────────────────────────────────────────


class Shortage(Told):
    """Units that were sold and are not there, from when it arose to its end."""

    id: UUID
    order_id: UUID
    order_number: str
    account: str
    channel: str
    line_ref: str
    sku: str
    title: str
    units: int = Field(description=N_("Quantas faltaram, no máximo."))
    short: int = Field(description=N_("Quantas faltam agora."))
    cause: str | None
    why: str | None
    ship_by: Instant | None
    opened_at: Instant
    closed_at: Instant | None
    ended: Literal["filled", "released"] | None


class Explained(Shortage):
    """A shortage with what led to it."""

    steps: list[str]
    verdict: str


class Wanted(Paging):
    """Which shortages."""

    state: Literal["open", "closed"] | None = None
    order: UUID | None = Field(default=None, description=N_("O id do pedido."))


def _facts(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    why = oversell.NAMES[call.language.tag][Cause(row["cause"])] if row["cause"] else None
    return {**row, "order_number": row["number"], "why": why}


async def shortages(call: Call) -> Answer:
    """Newest first."""
    wanted = call.query(Wanted)
    is_open = None if wanted.state is None else wanted.state == "open"
    async with call.tx() as tx:
        rows = await cases.every(tx, is_open=is_open, order_id=wanted.order, after=call.after, limit=call.limit)
    return call.part(rows, lambda row: Shortage.model_validate(_facts(call, dict(row))), "opened_at", "id")


async def shortage(call: Call) -> Answer:
    """What happened."""
    told = await flows.one(call.rt, call.seller, call.path(ById).id)
    if told is None:
        raise missing()
    *steps, verdict = oversell.explain(told.evidence, call.language.tag)
    return Explained.model_validate({**_facts(call, dict(told.case)), "steps": steps, "verdict": verdict})


OPERATIONS = (
    Operation(
        name="get_health", method="GET", path="/health", handler=show, scope="sync:read", tag="sync",
        summary=N_("Se as promessas do hub valem, e quanto trabalho espera"), answer=Health,
    ),
    Operation(
        name="list_shortages", method="GET", path="/shortages", handler=shortages, scope="orders:read", tag="orders",
        summary=N_("Unidades vendidas que faltam, e por quê"), answer=Shortage, query=Wanted, place=ByInstant,
    ),
    Operation(
        name="get_shortage", method="GET", path="/shortages/{id}", handler=shortage, scope="orders:read",
        tag="orders", summary=N_("Uma falta, com o que levou a ela"), answer=Explained, named=ById,
    ),
)  # fmt: skip
