"""Shortages looked into: why each arose, kept with it for good, and what can be done about it now."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

import adapters
from hub.backoffice import oversell, shortages
from hub.backoffice.oversell import Evidence
from hub.backoffice.shortages import Candidate, Cost, Elsewhere, Incoming, Remedy
from hub.context import working_for
from hub.store import Tx, cases, warehouses
from jobs.runtime import Runtime, log

BATCH = 50
_EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)


async def look_into(rt: Runtime) -> int:
    """Work out the cause of every case that is due. Answers how many were looked at."""
    async with rt.db.dispatch() as tx:
        sellers = await cases.due_sellers(tx, rt.now())
    count = 0
    for seller_id in sellers:
        with working_for(seller_id):
            try:
                async with rt.db.seller(seller_id) as tx:
                    due = await cases.due(tx, rt.now(), BATCH)
                    for case_id in due:
                        await _look(rt, tx, case_id)
                count += len(due)
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("shortages not looked into", seller=str(seller_id))
    return count


async def _look(rt: Runtime, tx: Tx, case_id: UUID) -> Evidence:
    found = _EVIDENCE.validate_python(await cases.gathered(tx, case_id))
    look_at = oversell.next_look(found, rt.now())
    await cases.put_cause(tx, case_id, oversell.cause_of(found), _EVIDENCE.dump_json(found).decode(), look_at)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A case whole: its row, what it was worked out from, the ways out, and what each cancellation would cost."""

    case: dict[str, Any]
    evidence: Evidence
    remedies: list[Remedy]
    costs: list[Cost]


async def one(rt: Runtime, seller_id: UUID, case_id: UUID) -> Told | None:
    """A case with its cause (worked out now where that is still to be done) and, while it is open, the ways out."""
    async with rt.db.seller(seller_id) as tx:
        case = await cases.one(tx, case_id)
        if case is None:
            return None
        if case["evidence"] is None:
            found = await _look(rt, tx, case_id)
            case = {**case, "cause": oversell.cause_of(found)}
        else:
            found = _EVIDENCE.validate_json(json.dumps(case["evidence"]))
        if case["closed_at"] is not None:
            return Told(case=case, evidence=found, remedies=[], costs=[])
        shelves = await warehouses.shelves(tx)
        drawn = shelves.of(case["account_id"])
        elsewhere = [Elsewhere(**row) for row in await cases.elsewhere(tx, case["sku_id"], drawn)]
        incoming = [Incoming(**row) for row in await cases.incoming(tx, case["sku_id"])]
        candidates = [_candidate(row) for row in await cases.candidates(tx, case["sku_id"])]
    costs = shortages.cheapest(candidates, case["short"], rt.now())
    ways = shortages.remedies(case["short"], case["ship_by"], elsewhere, incoming, costs)
    return Told(case=case, evidence=found, remedies=ways, costs=costs)


def _candidate(row: dict[str, Any]) -> Candidate:
    channel = row.pop("channel")
    kind = adapters.get(channel).kind.value if channel in adapters.names() else "other"
    return Candidate(kind=kind, **row)
