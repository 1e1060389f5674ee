"""Before the first write: what each address of an account would get and why, and which a person lets be written."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from hub.approval import NAMED, Change, Kind, Scope
from hub.store import approvals
from hub.web.api.accounts import not_closed
from hub.web.api.operations import Answer, Call, Operation
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, ById, Code, Instant, Paging, Told
from hub.web.i18n import N_
from jobs import approval

TAG = "accounts"
Place = tuple[UUID]
NAMES = N_("Diga os nomes: categorias, códigos de SKU, ou anúncios.")
NO_NAMES = N_("Este alcance não leva nomes.")
NO_DECREASE = N_("no-decrease diz o que aprovar; para retirar, diga all, category, sku ou listing.")


class PreviewRow(Told):
    """One address of stock. Units; null is not known."""

    id: UUID
    ref: str
    variation_ref: str | None
    title: str | None
    channel_sku: str | None
    sku: str | None
    category: str | None
    multiplier: int
    shows: int | None = Field(description=N_("O que o canal mostra."))
    desired: int | None = Field(description=N_("O que o hub escreveria."))
    change: Change = Field(description=N_("O que a aprovação faria, do mais grave ao igual: é a ordem da lista."))
    status: str
    managed_by: str
    approved_at: Instant | None
    twins: list[str] = Field(description=N_("Outros endereços da conta com o mesmo SKU."))
    shares: list[str] = Field(description=N_("Outros anúncios do mesmo endereço."))
    why: list[str] = Field(description=N_("Como se chega ao número, passo a passo."))


class PreviewQuery(Paging):
    """Which of them."""

    change: Change | Literal["duplicate"] | None = Field(
        default=None, description=N_("Só estes; duplicate: mais de um lugar para um estoque.")
    )


class Approval(Told):
    """What is approved of an account."""

    approval: Literal["none", "chosen", "whole"] = Field(
        description=N_("whole: o que for anunciado depois entra aprovado; chosen: espera.")
    )
    status: str
    slots: int
    approved: int
    duplicate: int
    changes: dict[Change, int] = Field(description=N_("Quantos endereços mudariam, e como."))


class Approved(Approval):
    """What approving or revoking did."""

    changed: int = Field(description=N_("Endereços que passam a ser escritos, ou que deixam de ser."))


class AskedScope(Asked):
    """Which addresses."""

    scope: Kind
    names: Annotated[list[Code], Field(max_length=500)] = Field(
        default=[],
        description=N_("Com category, sku ou listing: quais. Um anúncio com variação se escreve REF:VARIAÇÃO."),
    )


def _scope(call: Call) -> Scope:
    asked = call.body(AskedScope)
    if asked.scope in NAMED and not asked.names:
        raise wrong("names", NAMES)
    if asked.scope not in NAMED and asked.names:
        raise wrong("names", NO_NAMES)
    return Scope(asked.scope, tuple(dict.fromkeys(asked.names)))


async def preview(call: Call) -> Answer:
    """The gravest change first; nothing is written by looking."""
    call.need("stock:read")
    account, wanted = await not_closed(call), call.query(PreviewQuery)
    rows = await approval.preview(
        call.rt, account, change=wanted.change, after=call.after[0] if call.after else None, limit=call.limit,
        locale=call.language.tag,
    )  # fmt: skip
    return call.part(rows, PreviewRow.model_validate, "id")


async def _told(call: Call) -> dict[str, object]:
    account = await not_closed(call)
    async with call.tx() as tx:
        counts = await approvals.counts(tx, account.id)
        kind = await approvals.approval(tx, account.id)
    changes = {change: counts[change] for change in Change if counts.get(change)}
    return {
        "approval": kind, "status": account.status, "slots": sum(changes.values()), "approved": counts["approved"],
        "duplicate": counts["duplicate"], "changes": changes,
    }  # fmt: skip


async def one(call: Call) -> Answer:
    """What is approved."""
    return Approval.model_validate(await _told(call))


async def approve(call: Call) -> Answer:
    """What was not seen in the preview is approved all the same: look first."""
    account = await not_closed(call)
    changed = await approval.approve(call.rt, account, [_scope(call)])
    return Approved.model_validate({**await _told(call), "changed": changed})


async def revoke(call: Call) -> Answer:
    """Nothing more is written there."""
    account, scope = await not_closed(call), _scope(call)
    if scope.kind is Kind.NO_DECREASE:
        raise wrong("scope", NO_DECREASE)
    changed = await approval.revoke(call.rt, account, [scope])
    return Approved.model_validate({**await _told(call), "changed": changed})


OPERATIONS = (
    Operation(
        name="list_preview", method="GET", path="/accounts/{id}/preview", handler=preview, scope="accounts:read",
        tag=TAG, summary=N_("O que cada endereço de estoque de uma conta receberia, e por quê"), answer=PreviewRow,
        named=ById, query=PreviewQuery, place=Place,
        description=N_("Traz o estoque e o porquê dele: pede também stock:read."),
    ),
    Operation(
        name="get_approval", method="GET", path="/accounts/{id}/approval", handler=one, scope="accounts:read", tag=TAG,
        summary=N_("O que está aprovado numa conta"), answer=Approval, named=ById,
    ),
    Operation(
        name="approve_account", method="POST", path="/accounts/{id}/approve", handler=approve,
        scope="accounts:approve", tag=TAG, summary=N_("Aprovar o que o hub escreve numa conta"), answer=Approved,
        named=ById, body=AskedScope, once="together", example={"scope": "sku", "names": ["CANECA"]},
        description=N_(
            "all: tudo, também o que for anunciado depois. no-decrease: só o que não diminui. category, sku, listing: "
            "os de names. Os números saem logo; veja antes a prévia."
        ),
    ),
    Operation(
        name="revoke_approval", method="POST", path="/accounts/{id}/revoke", handler=revoke, scope="accounts:approve",
        tag=TAG, summary=N_("Retirar a aprovação de uma conta, ou de parte dela"), answer=Approved, named=ById,
        body=AskedScope, once="together", example={"scope": "all"},
        description=N_("Com all, a conta volta à prévia e nada mais é escrito nela."),
    ),
)  # fmt: skip
