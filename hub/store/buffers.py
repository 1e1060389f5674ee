"""Buffers as kept: which rules hold for which slots."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.buffers import Buffer
from hub.store import Tx


async def in_force(tx: Tx, slots: Sequence[Mapping[str, Any]], now: datetime) -> dict[UUID, tuple[Buffer, ...]]:
    """The rules in force for each slot: rows of id, account_id, ref, and the code and category of its SKU."""
    rules = await tx.all(
        "SELECT scope, scope_ref, account_id, kind, value FROM buffer WHERE ends_at IS NULL OR ends_at > %s",
        [now],
    )
    return {slot["id"]: _of(slot, rules) for slot in slots}


def _of(slot: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> tuple[Buffer, ...]:
    scopes = {
        "channel": str(slot["account_id"]),
        "category": slot["category"],
        "sku": slot["code"],
        "listing": slot["ref"],
    }
    return tuple(
        Buffer(kind=row["kind"], value=row["value"], source=row["scope"])
        for row in rules
        if row["scope_ref"] == scopes[row["scope"]] and row["account_id"] in (None, slot["account_id"])
    )
