"""The installation's first user: whether there is one, the codes that let somebody become it, and the first shop."""

import json
from uuid import UUID

from hub.founding import Wanted
from hub.store import Tx, freight, new_id, people, stock, warehouses

KEPT = 8  # codes: each web process tells one when it starts


async def anybody(tx: Tx) -> bool:
    """Whether anybody may sign in, or ever could: people are never taken away."""
    found: bool = await tx.value("SELECT EXISTS (SELECT FROM app_user)")
    return found


async def add_code(tx: Tx, code_hash: bytes) -> None:
    """Let who shows this code make the first user; the oldest codes go."""
    await tx.run("INSERT INTO setup_code (code_hash, made_at) VALUES (%s, clock_timestamp())", [code_hash])
    await tx.run(
        "DELETE FROM setup_code WHERE code_hash IN (SELECT code_hash FROM setup_code ORDER BY made_at DESC OFFSET %s)",
        [KEPT],
    )


async def codes(tx: Tx) -> list[bytes]:
    """The hashes of the codes that are good."""
    return [bytes(row["code_hash"]) for row in await tx.all("SELECT code_hash FROM setup_code")]


async def found(tx: Tx, wanted: Wanted, password_hash: str) -> UUID | None:
    """The first user, as owner of this transaction's new seller; None where somebody was faster: nothing is made then.

    Until the transaction's end nobody else can become the first. The codes are good no more.
    """
    await tx.run("SELECT pg_advisory_xact_lock(hashtext('balcao.founding'))")
    if await anybody(tx):
        return None
    user_id = await people.user_add(tx, wanted.email, wanted.name, password_hash, wanted.locale)
    if user_id is None:
        return None
    await people.seller_add(tx, wanted.shop)
    await tx.run(
        "UPDATE seller SET settings = settings || %s WHERE seller_id = %s",
        [json.dumps({"zone": wanted.zone}), tx.seller],
    )
    await people.member_put(tx, user_id, "owner")
    await warehouses.warehouse_add(
        tx, "principal", wanted.warehouse, rank=10, postal_code=wanted.postal_code, state=wanted.state
    )
    if wanted.document and wanted.document.kind == "cnpj":
        await tx.run(
            "INSERT INTO company (seller_id, id, cnpj, name) VALUES (%s, %s, %s, %s)",
            [tx.seller, new_id(), wanted.document.number, wanted.shop],
        )
    if wanted.document or wanted.postal_code:
        await freight.set_policy(tx, None, {"sender": wanted.sender.model_dump()})
    await stock.audit(tx, "first_user", str(user_id), email=wanted.email, shop=wanted.shop)
    await tx.run("DELETE FROM setup_code")
    return user_id
