"""Before the first write: what every slot would get and why, and which of them a person lets be written."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from hub import stock as decide
from hub.approval import EVERYTHING, NO_ROLE, UNTOUCHED, Change, Kind, Scope, is_whole
from hub.store import Tx, accounts, approvals, due, lookup, slots, stock, warehouses
from hub.store.accounts import Account
from jobs.connect import Refused
from jobs.opening import refuse_unread
from jobs.runtime import Runtime

PAGE = 500


async def preview(
    rt: Runtime, account: Account, *, change: str | None = None, after: UUID | None = None, limit: int = 100,
    locale: str = "pt-BR",
) -> list[dict[str, Any]]:  # fmt: skip
    """Slots with what each shows and would get, the gravest change first, and `why`: one sentence for each step."""
    async with rt.db.seller(account.seller_id) as tx:
        rows = await approvals.preview(tx, account.id, change=change, after=after, limit=limit)
        told = await _why(tx, account, rows, locale, rt)
    return [{**row, "why": told[row["id"]]} for row in rows]


async def _why(
    tx: Tx, account: Account, rows: Sequence[dict[str, Any]], locale: str, rt: Runtime
) -> dict[UUID, list[str]]:
    """Sentences by slot."""
    ids = {row["id"] for row in rows}
    skus = {row["sku_id"] for row in rows if row["sku_id"] is not None}
    shelves = await warehouses.shelves(tx)
    answers = {
        inputs.slot_id: decide.available(inputs)
        for inputs in (await stock.inputs(tx, skus, shelves, rt.now()) if skus else ())
        if inputs.slot_id in ids
    }
    named = {value for answer in answers.values() for step in answer.steps for value in step.params.values()}
    names = await lookup.names(tx, [value for value in named if isinstance(value, UUID)])
    found: dict[UUID, list[str]] = {}
    for row in rows:
        change = Change(row["change"])
        if change in (Change.UNLINKED, Change.MARKETPLACE):
            found[row["id"]] = [UNTOUCHED[locale][change]]
        elif row["id"] in answers:
            found[row["id"]] = list(answers[row["id"]].explain(locale, names))
        else:
            found[row["id"]] = [NO_ROLE[locale].format(role=account.stock_role)]
    return found


async def whole_preview(
    rt: Runtime, account: Account, change: str | None = None, locale: str = "pt-BR"
) -> AsyncIterator[dict[str, Any]]:
    """Every slot of a preview, page by page, for a file."""
    after: UUID | None = None
    while rows := await preview(rt, account, change=change, after=after, limit=PAGE, locale=locale):
        for row in rows:
            yield row
        after = rows[-1]["id"]


async def approve(rt: Runtime, account: Account, scopes: Sequence[Scope] = (EVERYTHING,)) -> int:
    """Let the hub write to these slots of an account. Answers how many fall due; webhooks are registered soon.

    Approved as a whole, what is listed later is approved with it; else it waits. Raises Refused for a name that no
    slot answers to, or when nothing is left to approve: then nothing is changed.
    """
    if account.status not in {"preview", "live"}:
        raise Refused(f"{account.name} is {account.status}: resume it first.", "account_stopped", account=account.name)
    await refuse_unread(rt, account)
    async with rt.db.seller(account.seller_id) as tx:
        before = await approvals.approval(tx, account.id)
        await _refuse_unknown(tx, account, scopes)
        await slots.lock_account(tx, account.id)
        count = await approvals.approve(tx, account.id, scopes, rt.now())
        if not count and not is_whole(scopes):
            sentence = f"{account.name}: no slot is left to approve in this scope"
            raise Refused(sentence, "approve_nothing", account=account.name)
        if before != "whole":
            await approvals.set_approval(tx, account.id, "whole" if is_whole(scopes) else "chosen")
        await accounts.set_status(tx, account.id, "live")
        fell_due = await slots.make_due(tx, account.id, rt.now())
        await due.task_soon(tx, account.id, ["subscribe"], rt.now())
        told = [":".join(filter(None, (scope.kind, ",".join(scope.names)))) for scope in scopes]
        await stock.audit(tx, "account_approve", str(account.id), scopes=told, slots=count)
    rt.ring("stock", account.id)
    rt.ring("catalogue", account.id)
    return fell_due


async def revoke(rt: Runtime, account: Account, scopes: Sequence[Scope] = (EVERYTHING,)) -> int:
    """Let the hub write to these slots no more. Answers how many. Everything: the account is in preview again."""
    if any(scope.kind is Kind.NO_DECREASE for scope in scopes):
        sentence = "scope: no-decrease says what may be approved; to revoke, name all, a category, SKUs or listings"
        raise Refused(sentence, "revoke_scope")
    async with rt.db.seller(account.seller_id) as tx:
        before = await approvals.approval(tx, account.id)
        await _refuse_unknown(tx, account, scopes)
        await slots.lock_account(tx, account.id)
        count = await approvals.revoke(tx, account.id, scopes)
        await approvals.set_approval(tx, account.id, "none" if is_whole(scopes) or before == "none" else "chosen")
        if is_whole(scopes) and account.status == "live":
            await accounts.set_status(tx, account.id, "preview")
        await stock.audit(tx, "account_revoke", str(account.id), slots=count)
    return count


async def _refuse_unknown(tx: Tx, account: Account, scopes: Sequence[Scope]) -> None:
    for scope in scopes:
        if missing := await approvals.unknown(tx, account.id, scope):
            named = ", ".join(repr(name) for name in missing[:5])
            sentence = f"scope: {account.name} lists nothing of {scope.kind} {named}"
            raise Refused(sentence, "approve_none", account=account.name, names=named)
