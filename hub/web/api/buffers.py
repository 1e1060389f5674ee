"""Buffers: the rules that keep units away from channels."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from hub.buffers import BufferKind
from hub.store import accounts, buffers
from hub.store.buffers import Place, Rule, Scope
from hub.web.api.operations import Answer, Call, Operation
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, AskedInstant, ById, Code, Instant, Paging, Told
from hub.web.api.stock import TAG
from hub.web.i18n import N_
from jobs import buffers as flows

TOLD = 200  # changes that an answer names
Kind = Literal["units", "percent", "auto", "least", "most", "fixed_pool"]


class Buffer(Told):
    """A rule. `ref`: by scope a category, a SKU's code or a slot's ref; null for a whole channel."""

    id: UUID
    scope: Scope
    ref: str | None = Field(description=N_("A categoria, o código do SKU ou o ref do anúncio; null para a conta."))
    account_id: UUID | None
    account: str | None
    kind: Kind
    value: int
    cap: int | None
    held: int | None = Field(description=N_("De uma margem automática: quanto retém agora, no máximo."))
    until_stock: int | None
    starts_at: Instant | None
    ends_at: Instant | None
    state: Literal["waits", "in_force", "over"]


class WantedBuffer(Asked):
    """A rule to keep, in the place of the one of the same kind for the same thing."""

    scope: Scope
    ref: Code | None = Field(
        default=None, description=N_("A categoria, o código do SKU ou o ref do anúncio; nada para a conta inteira.")
    )
    account: UUID | None = Field(default=None, description=N_("Só nesta conta; obrigatório em channel e listing."))
    kind: Kind
    value: int = Field(ge=0, le=1_000_000)
    cap: int | None = Field(default=None, ge=0, le=1_000_000, description=N_("Só em auto: o máximo que retém."))
    until_stock: int | None = Field(default=None, ge=0, le=1_000_000, description=N_("Vale enquanto há mais que isto."))
    starts_at: AskedInstant | None = None
    ends_at: AskedInstant | None = None


class BufferChange(Told):
    """What a listing should show before and after."""

    account: str
    listing: str
    variation: str | None
    sku: str
    before: int | None
    after: int | None


class Zeros(Told):
    """Listings of an account that would come to show nothing, of those that show something: what the brake counts."""

    account: str
    to_zero: int
    showing: int


class BufferPreview(Told):
    """What a rule would change. `changes`: the first of them, by account and SKU."""

    count: int = Field(description=N_("Quantos anúncios mudam de número."))
    changes: Annotated[list[BufferChange], Field(max_length=TOLD)]
    zeros: list[Zeros]


class Changed(Told):
    """The rule, and what it changes. `changes`: the first of them, by account and SKU."""

    id: UUID
    count: int = Field(description=N_("Quantos anúncios mudam de número."))
    changes: Annotated[list[BufferChange], Field(max_length=TOLD)]


async def every(call: Call) -> Answer:
    """The most particular scope first; in it by what they are for, those of one account before those of all."""
    async with call.tx() as tx:
        rows = await buffers.every(tx, after=call.after, limit=call.limit)

    def told(row: Mapping[str, Any]) -> Buffer:
        waits = row["starts_at"] and row["starts_at"] > call.now
        over = row["ends_at"] and row["ends_at"] <= call.now
        return Buffer.model_validate(
            {**row, "ref": None if row["scope"] == "channel" else row["scope_ref"], "held": row["measured"],
             "state": "waits" if waits else "over" if over else "in_force"}
        )  # fmt: skip

    return call.part(rows, told, "scope", "scope_ref", "place_account", "kind")


async def preview(call: Call) -> Answer:
    """What a rule would change; nothing is kept."""
    done = await flows.set_rule(call.rt, call.seller, await _rule(call), dry=True)
    zeros = [Zeros(account=account, to_zero=zero, showing=showing) for account, zero, showing in done.zeros]
    return BufferPreview(**_changes(done), zeros=zeros)


async def put(call: Call) -> Answer:
    """Keep a rule; listings that it touches are told at once."""
    return _changed(await flows.set_rule(call.rt, call.seller, await _rule(call)))


async def _rule(call: Call) -> Rule:
    told = call.body(WantedBuffer)
    if (told.ref is None) != (told.scope == "channel"):
        raise wrong("ref", N_("channel não tem ref; category, sku e listing têm."))
    if told.account is None and told.scope in ("channel", "listing"):
        raise wrong("account", N_("Diga de que conta."))
    if told.account is not None:
        async with call.tx() as tx:
            known = {account.id for account in await accounts.every(tx)}
        if told.account not in known:
            raise wrong("account", N_("Não há esta conta."))
    return Rule(
        scope=told.scope, scope_ref=told.ref or str(told.account), account_id=told.account,
        kind=BufferKind(told.kind), value=told.value, until_stock=told.until_stock, cap=told.cap,
        starts_at=told.starts_at, ends_at=told.ends_at,
    )  # fmt: skip


def _changes(done: flows.Changed) -> dict[str, Any]:
    told = [BufferChange.model_validate(each) for each in done.changes[:TOLD]]
    return {"count": len(done.changes), "changes": told}


def _changed(done: flows.Changed) -> Changed:
    return Changed.model_validate({"id": done.buffer_id, **_changes(done)})


async def remove(call: Call) -> Answer:
    """Drop a rule."""
    return _changed(await flows.remove_rule(call.rt, call.seller, call.path(ById).id))


OPERATIONS = (
    Operation(
        name="list_buffers", method="GET", path="/buffers", handler=every, scope="stock:read", tag=TAG,
        summary=N_("Margens de segurança, a mais particular primeiro"), answer=Buffer, query=Paging, place=Place,
    ),
    Operation(
        name="put_buffer", method="PUT", path="/buffers", handler=put, scope="stock:write", tag=TAG,
        summary=N_("Definir uma margem"), answer=Changed, body=WantedBuffer,
        example={"scope": "sku", "ref": "CANECA-AZUL", "kind": "units", "value": 2},
        description=N_("No lugar da que houver do mesmo tipo para a mesma coisa. Responde os anúncios que mudam."),
    ),
    Operation(
        name="preview_buffer", method="POST", path="/buffers/preview", handler=preview, scope="stock:write", tag=TAG,
        summary=N_("O que uma margem mudaria"), answer=BufferPreview, body=WantedBuffer,
        example={"scope": "sku", "ref": "CANECA-AZUL", "kind": "units", "value": 2},
        description=N_("Nada é guardado. zeros: o que o freio de zeros em massa contaria."),
    ),
    Operation(
        name="delete_buffer", method="DELETE", path="/buffers/{id}", handler=remove, scope="stock:write", tag=TAG,
        summary=N_("Remover uma margem"), answer=Changed, named=ById,
    ),
)  # fmt: skip
