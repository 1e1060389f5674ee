"""The invariant job: the hub proves itself right, and says so on the health page."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from hub.store import Tx, alerts, invariants, new_id

PIECE_ROWS = 2_000
PIECE_SECONDS = 5.0
PAUSE = 1.0  # after each piece, as a share of the time that it took: others want the database too


async def check(tx: Tx, *, at_rest: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Check one seller's rows in one piece, keep the result, alert where a promise is broken. Answers what is."""
    began = time.monotonic()
    broken = await invariants.broken(tx, at_rest=at_rest)
    await _keep(tx, broken, seconds=time.monotonic() - began, pieces=1, late=())
    return broken


async def check_in_pieces(
    begin: Callable[[], AbstractAsyncContextManager[Tx]], *, rows: int = PIECE_ROWS, seconds: float = PIECE_SECONDS
) -> dict[str, list[dict[str, Any]]]:
    """As `check`, for a seller who is at work: piece by piece, each in its own short transaction, with pauses.

    `begin` makes a transaction of the seller. A check of which a piece took longer than `seconds` is named as late.
    """
    broken: dict[str, list[dict[str, Any]]] = {}
    late: dict[str, None] = {}
    took, count, began = 0.0, 0, time.monotonic()
    async for piece in invariants.pieces(begin, size=rows, seconds=seconds):
        spent = time.monotonic() - began
        took, count = took + spent, count + 1
        if piece.late:
            late[piece.name] = None
        if piece.rows:
            broken[piece.name] = [*broken.get(piece.name, []), *piece.rows][: invariants.ROWS_SHOWN]
        await asyncio.sleep(PAUSE * spent)
        began = time.monotonic()
    async with begin() as tx:
        await _keep(tx, broken, seconds=took, pieces=count, late=tuple(late))
    return broken


async def _keep(
    tx: Tx, broken: Mapping[str, Sequence[Any]], *, seconds: float, pieces: int, late: Sequence[str]
) -> None:
    told = json.dumps([{"name": name, "rows": rows} for name, rows in broken.items()], default=str)
    await invariants.keep(
        tx, {"id": new_id(), "broken": told, "count": len(broken), "seconds": seconds, "pieces": pieces,
             "late": list(late)},
    )  # fmt: skip
    if broken:
        await alerts.raise_(tx, "invariant_broken", "hub", severity="urgent", names=list(broken))
    else:
        await alerts.resolve(tx, "invariant_broken", "hub")
