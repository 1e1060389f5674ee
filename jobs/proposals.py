"""What a person says to a difference: put it right, or leave it; and what an account does about the next one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub.drift import ACTIONABLE, GRACE, POLICIES, Drift, Hold, Policy, State, policies_of
from hub.store import Tx, accounts, drift, pages, stock
from hub.store.accounts import Account
from jobs import linking
from jobs.connect import Refused
from jobs.reconcile import tell_proposals
from jobs.runtime import Runtime

DECIDABLE = frozenset({State.PROPOSED, State.DISMISSED, State.NOTED})


async def accept(rt: Runtime, seller_id: UUID, id_: UUID) -> dict[str, Any]:
    """Do what a difference asks for: write the hub's number, or link the listing to the SKU that it names.

    Answers the episode as it was. Refused says why there is nothing to do.
    """
    async with rt.db.seller(seller_id) as tx:
        row = await _open(tx, id_)
        if Drift(row["class"]) not in ACTIONABLE:
            sentence = f"{row['class']} of {row['ref']}: there is nothing that the hub could write; dismiss it"
            raise Refused(sentence, "drift_nothing", one=row["ref"])
        account = await accounts.get(tx, row["account_id"])
        if Drift(row["class"]) is not Drift.WRONG_LINK:
            if not account.writes:
                sentence = f"{account.name} is {account.status}: approve or resume it, then accept"
                raise Refused(sentence, "drift_account", account=account.name)
            await pages.hold(tx, row["slot_id"], None)
            await drift.decide(tx, id_, State.REPAIRING, rt.now())
            await drift.recheck_at(tx, account.id, rt.now() + GRACE)
            await _done(tx, account, "drift_accept", row)
    if Drift(row["class"]) is Drift.WRONG_LINK:
        await _relink(rt, seller_id, account, row)
    rt.ring("stock", row["account_id"])
    return row


async def _relink(rt: Runtime, seller_id: UUID, account: Account, row: Mapping[str, Any]) -> None:
    """The link in its own transaction (it locks levels first): done twice it changes nothing."""
    if row["listing_id"] is None or row["suggested_sku"] is None:
        raise Refused(f"{row['ref']}: the SKU that it names is gone; dismiss it", "drift_gone", one=row["ref"])
    await linking.link(rt, seller_id, row["listing_id"], row["suggested_sku"], row["multiplier"])
    async with rt.db.seller(seller_id) as tx:
        await pages.hold(tx, row["slot_id"], None)
        await drift.decide(tx, row["id"], State.CLOSED, rt.now())
        await _done(tx, account, "drift_accept", row)


async def dismiss(rt: Runtime, seller_id: UUID, id_: UUID) -> dict[str, Any]:
    """Leave a difference as it is until it is another one. Answers the episode as it was."""
    async with rt.db.seller(seller_id) as tx:
        row = await _open(tx, id_)
        numbered = row["desired"] is not None and Drift(row["class"]) in ACTIONABLE
        if numbered:
            await pages.hold(tx, row["slot_id"], None if Drift(row["class"]) is Drift.WRONG_LINK else Hold.LEFT)
        await drift.decide(tx, id_, State.DISMISSED, rt.now())
        await _done(tx, await accounts.get(tx, row["account_id"]), "drift_dismiss", row)
    rt.ring("stock", row["account_id"])
    return row


async def _open(tx: Tx, id_: UUID) -> dict[str, Any]:
    row = await drift.one(tx, id_)
    if row is None:
        raise Refused(f"there is no difference {id_}: `balcao drift list` names them", "no_drift")
    if row["state"] not in DECIDABLE:
        sentence = f"{row['class']} of {row['ref']} is {row['state']}: there is nothing to decide"
        raise Refused(sentence, "drift_decided", one=row["ref"])
    return row


async def _done(tx: Tx, account: Account, action: str, row: Mapping[str, Any]) -> None:
    await stock.audit(tx, action, str(row["id"]), drift=row["class"], ref=row["ref"], seen=row["seen"])
    await tell_proposals(tx, account)


async def set_policy(rt: Runtime, account: Account, name: str, policy: str) -> dict[str, Policy]:
    """Set what an account does about a class of difference. Answers all its policies; Refused names those there are."""
    if name not in POLICIES:
        raise Refused(f"there is no class {name!r} with a policy; there are: {', '.join(POLICIES)}", "no_drift_class")
    if policy not in POLICIES[name]:
        raise Refused(f"{name}: {policy!r} is not one of {', '.join(POLICIES[name])}", "drift_policy")
    async with rt.db.seller(account.seller_id) as tx:
        settings = dict((await accounts.get(tx, account.id)).settings)
        told = settings.get("drift")
        settings["drift"] = {**(told if isinstance(told, Mapping) else {}), name: policy}
        await accounts.settle_settings(tx, account.id, drift=settings["drift"])
        await stock.audit(tx, "drift_policy", str(account.id), name=name, policy=policy)
    return policies_of(settings)
