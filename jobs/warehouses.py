"""Warehouses as the seller arranges them; whatever that changes of what channels should show is computed with it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hub.allocation import Area
from hub.store import Tx, stock, transfers, warehouses
from jobs.availability import Ripple
from jobs.connect import Refused
from jobs.ledger import follow, transact
from jobs.runtime import Runtime

FEW = 5  # SKUs that a refusal names


async def add(
    rt: Runtime, seller_id: UUID, code: str, name: str, *, kind: str = "own", rank: int = 100,
    postal_code: str | None = None, state: str | None = None,
) -> UUID:  # fmt: skip
    """A new warehouse. Raises Refused where there is one of that code, open or closed."""
    async with rt.db.seller(seller_id) as tx:
        if await warehouses.by_code(tx, code) is not None:
            raise Refused(f"there is a warehouse {code!r} already", "house_there", code=code)
        made = await warehouses.warehouse_add(
            tx, code, name, rank=rank, kind=kind, postal_code=postal_code, state=state
        )
        await stock.audit(tx, "warehouse_add", str(made), code=code, rank=rank, kind=kind)
    return made


async def edit(
    rt: Runtime, seller_id: UUID, code: str, *, name: str | None = None, kind: str | None = None,
    rank: int | None = None, postal_code: str | None = None, state: str | None = None,
) -> None:  # fmt: skip
    """Change what is told of a warehouse. Raises Refused for one that is unknown, closed, or holds what stops it."""

    async def work(tx: Tx, ripple: Ripple) -> None:
        row = await _open(tx, code)
        ids = [each["sku_id"] for each in await warehouses.stands_in(tx, row["id"])]
        changes = kind is not None and kind != row["kind"]
        if changes:
            await stock.lock_around(tx, ids)
            await _may_become(tx, row, str(kind))
        await warehouses.edit(tx, row["id"], name=name, kind=kind, rank=rank, postal_code=postal_code, state=state)
        if changes:
            await follow(rt, tx, ids, ripple, "count")
        told = {"name": name, "kind": kind, "rank": rank, "postal_code": postal_code, "state": state}
        await stock.audit(
            tx, "warehouse_edit", code, **{key: value for key, value in told.items() if value is not None}
        )

    await transact(rt, seller_id, work)


async def _may_become(tx: Tx, row: dict[str, Any], kind: str) -> None:
    code, id_ = row["code"], row["id"]
    held = [each for each in await warehouses.stands_in(tx, id_) if each["reserved"]]
    if held and kind not in warehouses.DRAWN:
        raise Refused(
            f"orders hold units in {code} ({_named(held)}), and nothing leaves from a {kind} warehouse: move them "
            "first, with `balcao orders allocate ORDER --from OTHER` or a transfer --with-orders", "house_held",
            code=code, skus=_named(held, bare=True),
        )  # fmt: skip
    if kind not in warehouses.DRAWN and (names := await warehouses.drawing_only(tx, id_)):
        raise Refused(
            f"{', '.join(names)} draws from {code} alone: first say from where else (`balcao warehouse draws`)",
            "house_alone", code=code, accounts=", ".join(names),
        )  # fmt: skip
    if numbers := await transfers.unfinished(tx, id_):
        raise _under_way(code, numbers)


async def close(rt: Runtime, seller_id: UUID, code: str) -> None:
    """Nothing stands there, and nothing will. Raises Refused while anything does, and says how to move it."""

    async def work(tx: Tx, ripple: Ripple) -> None:
        del ripple
        row = await _open(tx, code)
        await stock.lock_around(tx, [each["sku_id"] for each in await warehouses.stands_in(tx, row["id"])])
        if standing := await warehouses.stands_in(tx, row["id"]):
            raise Refused(
                f"{code} is not empty: {_named(standing)}. Move it with `balcao transfer open {code} OTHER SKU=N` and "
                "`balcao transfer send` (--with-orders takes reservations along), or count it to 0", "house_full",
                code=code, skus=_named(standing, bare=True),
            )  # fmt: skip
        if numbers := await transfers.unfinished(tx, row["id"]):
            raise _under_way(code, numbers)
        if names := await warehouses.drawing_only(tx, row["id"]):
            raise Refused(_alone(names, code), "house_alone", code=code, accounts=", ".join(names))
        await warehouses.close(tx, row["id"])
        await stock.audit(tx, "warehouse_close", code)

    await transact(rt, seller_id, work)


async def draw(rt: Runtime, seller_id: UUID, account_id: UUID, codes: Sequence[str]) -> None:
    """Which warehouses an account draws from; none named: every own one.

    What it holds stays where it stands; what it lacks is looked for anew. Raises Refused for a warehouse that sales
    do not leave from.
    """

    async def work(tx: Tx, ripple: Ripple) -> None:
        ids = []
        for code in codes:
            row = await _open(tx, code)
            if row["kind"] not in warehouses.DRAWN:
                raise Refused(
                    f"{code} is a {row['kind']} warehouse: sales leave from own ones, or from transit",
                    "house_not_drawn", code=code,
                )  # fmt: skip
            ids.append(row["id"])
        parts = await stock.parts_of(tx, await warehouses.sold_by(tx, account_id))
        await stock.lock_around(tx, parts)
        await warehouses.put_draws(tx, account_id, ids)
        await follow(rt, tx, parts, ripple, "count")
        await stock.audit(tx, "warehouse_draws", str(account_id), warehouses=list(codes))

    await transact(rt, seller_id, work)


async def split(
    rt: Runtime, seller_id: UUID, policy: str | None, *, account_id: UUID | None = None, sku: str | None = None
) -> None:
    """How far orders may be divided among warehouses: of one SKU, one account, or all the seller's.

    None: as the wider one says. Orders that stand as they are stay so.
    """

    async def work(tx: Tx, ripple: Ripple) -> None:
        sku_id = await stock.sku_id(tx, sku) if sku is not None else None
        if sku is not None and sku_id is None:
            raise Refused(f"there is no SKU {sku!r}", "no_sku", sku=sku)
        sold = {sku_id} if sku_id is not None else await warehouses.sold_by(tx, account_id)
        parts = await stock.parts_of(tx, sold)
        await stock.lock_around(tx, parts)
        await warehouses.set_split(tx, policy, account_id=account_id, sku_id=sku_id)
        await follow(rt, tx, parts, ripple, "count")
        subject = sku or str(account_id or "seller")
        await stock.audit(tx, "split", subject, policy=policy)

    await transact(rt, seller_id, work)


async def cover(rt: Runtime, seller_id: UUID, code: str, areas: Sequence[Area]) -> None:
    """The areas that a warehouse serves by another rank, in place of those it had; they bear on new demand only."""

    async def work(tx: Tx, ripple: Ripple) -> None:
        del ripple
        row = await _open(tx, code)
        await warehouses.put_areas(tx, row["id"], areas)
        await stock.audit(tx, "warehouse_areas", code, areas=[str(area) for area in areas])

    await transact(rt, seller_id, work)


async def _open(tx: Tx, code: str) -> dict[str, Any]:
    row = await warehouses.by_code(tx, code)
    if row is None:
        raise Refused(f"there is no warehouse {code!r} (`balcao warehouse list`)", "warehouse", code=code)
    if row["closed_at"] is not None:
        raise Refused(f"warehouse {code!r} is closed", "warehouse", code=code)
    return row


def _named(rows: Sequence[dict[str, Any]], *, bare: bool = False) -> str:
    """Some SKUs with what stands there; `bare`: in figures alone, for any language."""
    if bare:
        told = [f"{row['sku']} ({row['on_hand']})" for row in rows[:FEW]]
        return ", ".join(told) + (f" (+{len(rows) - FEW})" if len(rows) > FEW else "")
    told = [f"{row['sku']} (on hand {row['on_hand']}, reserved {row['reserved']})" for row in rows[:FEW]]
    return ", ".join(told) + (f" and {len(rows) - FEW} more" if len(rows) > FEW else "")


def _under_way(code: str, numbers: Sequence[int]) -> Refused:
    told = _numbers(numbers)
    return Refused(
        f"{code} is in transfers under way ({told}): finish or cancel them first", "house_transfers", code=code,
        numbers=told,
    )  # fmt: skip


def _alone(names: Sequence[str], code: str) -> str:
    return f"{', '.join(names)} draws from {code} alone: first say from where else (`balcao warehouse draws`)"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
