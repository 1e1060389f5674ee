"""Pages of listings: written, and what their slots show recorded, in a handful of statements however long they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.model import Listing
from hub.store import Tx, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A listing as it stands after its page was written, its slot as it stood before."""

    told: Listing
    listing_id: UUID
    slot_id: UUID
    sku_id: UUID | None
    linked_by: str | None
    sku_code: str | None
    sku_gtin: str | None
    sku_before: str | None  # what the channel called it before this page
    is_new: bool  # of the slot
    expected: int | None
    desired: int | None
    seen_at: datetime | None
    synced_from: datetime | None
    synced_to: datetime | None
    doubt_until: datetime | None


_TOLD = """jsonb_to_recordset(%(told)s) AS t(slot_id uuid, listing_id uuid, ref text, variation_ref text, slot_ref text,
    location_ref text, sku text, gtin text, title text, url text, status text, quantity int, stock_quantity int,
    price_cents bigint, currency text, managed_by text, version text)"""

_SLOTS = f"""
    INSERT INTO stock_slot (seller_id, id, account_id, ref, location_ref, listing_ref, variation_ref, seen, seen_at,
        expected, version, synced_from, synced_to, managed_by, status, approved_at)
    SELECT DISTINCT ON (slot_ref, location_ref) %(seller)s, slot_id, %(account)s, slot_ref, location_ref, ref,
        variation_ref, stock_quantity, %(answered)s, stock_quantity, version, %(began)s, %(answered)s, managed_by,
        status, (SELECT now() FROM account WHERE id = %(account)s AND approval = 'whole')
    FROM {_TOLD} ORDER BY slot_ref, location_ref, status
    ON CONFLICT (seller_id, account_id, ref, location_ref) DO UPDATE SET
        managed_by = excluded.managed_by, status = excluded.status,
        due_at = CASE WHEN excluded.managed_by = 'seller' AND excluded.status <> 'closed' THEN stock_slot.due_at END,
        listing_ref = CASE WHEN stock_slot.status = 'closed' THEN excluded.listing_ref ELSE stock_slot.listing_ref END,
        variation_ref = CASE WHEN stock_slot.status = 'closed' THEN excluded.variation_ref
                             ELSE stock_slot.variation_ref END
    WHERE (stock_slot.managed_by, stock_slot.status) IS DISTINCT FROM (excluded.managed_by, excluded.status)
    RETURNING id, (xmax = 0) AS is_new"""

_BEFORE = f"""
    SELECT l.ref, l.variation_ref, l.channel_sku FROM listing l
    JOIN (SELECT DISTINCT ref FROM {_TOLD}) t ON t.ref = l.ref WHERE l.account_id = %(account)s"""

_LISTINGS = f"""
    INSERT INTO listing (seller_id, id, account_id, ref, variation_ref, slot_id, channel_sku, gtin, title, url, status,
        quantity, price_cents, currency, managed_by, seen_at)
    SELECT %(seller)s, t.listing_id, %(account)s, t.ref, t.variation_ref, s.id, t.sku, t.gtin, t.title, t.url, t.status,
        t.quantity, t.price_cents, t.currency, t.managed_by, %(answered)s
    FROM {_TOLD} JOIN stock_slot s ON s.account_id = %(account)s AND s.ref = t.slot_ref
        AND s.location_ref IS NOT DISTINCT FROM t.location_ref
    ON CONFLICT (seller_id, account_id, ref, variation_ref) DO UPDATE SET slot_id = excluded.slot_id,
        channel_sku = excluded.channel_sku, gtin = excluded.gtin, title = excluded.title, url = excluded.url,
        status = excluded.status, quantity = excluded.quantity, price_cents = excluded.price_cents,
        currency = excluded.currency, managed_by = excluded.managed_by, seen_at = excluded.seen_at, gone_at = NULL
    RETURNING id, ref, variation_ref"""

_KEPT = """
    SELECT l.id AS listing_id, l.ref, l.variation_ref, l.sku_id, l.linked_by, k.code AS sku_code, k.gtin AS sku_gtin,
           s.id AS slot_id, s.expected, s.desired, s.seen_at, s.synced_from, s.synced_to,
           s.doubt_until
    FROM listing l JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
    LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
    WHERE l.id = ANY(%s)"""


async def put(tx: Tx, account_id: UUID, told: Sequence[Listing], began: datetime, answered: datetime) -> list[Kept]:
    """Write a page of listings and their slots, whose rows the caller has locked. Answers them in order, each once.

    What a slot shows (`seen`, `expected`) is set here only when the slot is new: later readings go through `looked`,
    which knows about writes under way. A listing told twice counts as told last.
    """
    once = {(listing.ref, listing.variation_ref): listing for listing in told}
    rows = [
        {**listing.model_dump(mode="json"), "slot_id": str(new_id()), "listing_id": str(new_id())}
        for listing in once.values()
    ]
    params = {
        "seller": tx.seller, "account": account_id, "began": began, "answered": answered, "told": json.dumps(rows),
    }  # fmt: skip
    new = {row["id"] for row in await tx.all(_SLOTS, params) if row["is_new"]}
    before = {(row["ref"], row["variation_ref"]): row["channel_sku"] for row in await tx.all(_BEFORE, params)}
    ids = [row["id"] for row in await tx.all(_LISTINGS, params)]
    kept = {(row.pop("ref"), row.pop("variation_ref")): row for row in await tx.all(_KEPT, [ids])}
    return [
        Kept(told=listing, sku_before=before.get(key), is_new=kept[key]["slot_id"] in new, **kept[key])
        for key, listing in once.items()
    ]


async def again(tx: Tx, kept: Sequence[Kept]) -> list[Kept]:
    """The same listings as their links and slots stand now."""
    rows = {row["listing_id"]: row for row in await tx.all(_KEPT, [[each.listing_id for each in kept]])}
    for row in rows.values():
        del row["ref"], row["variation_ref"]
    return [replace(each, is_new=False, **rows[each.listing_id]) for each in kept if each.listing_id in rows]


_LOOKED = """
    UPDATE stock_slot s SET seen = told.seen, seen_at = %(answered)s, expected = told.seen,
        version = coalesce(told.version, s.version), synced_from = %(began)s, synced_to = %(answered)s,
        doubt_until = CASE WHEN s.doubt_until > %(began)s THEN s.doubt_until END,
        dirty_at = CASE WHEN s.due_at IS NULL THEN %(answered)s ELSE s.dirty_at END,
        pushed = CASE WHEN s.desired = told.seen THEN told.seen END,
        held = told.held, held_desired = CASE WHEN told.held IS NULL THEN NULL ELSE s.desired END,
        attempts = CASE WHEN s.desired = told.seen THEN 0 ELSE s.attempts END,
        due_at = CASE WHEN s.desired IS NULL OR s.desired = told.seen OR s.parked_code IS NOT NULL OR s.braked
                           OR s.managed_by <> 'seller' OR s.status = 'closed' THEN NULL
                      ELSE coalesce(s.due_at, now()) END,
        lease_token = NULL, lease_until = NULL, lease_by = NULL  -- whose lease ended: should it wake, it is too late
    FROM unnest(%(ids)s::uuid[], %(seen)s::int[], %(versions)s::text[], %(held)s::text[])
        AS told(id, seen, version, held)
    WHERE s.id = told.id AND (s.lease_token IS NULL OR s.lease_until <= %(began)s)
        AND (s.doubt_until IS NULL OR s.doubt_until <= %(began)s) AND (s.synced_to IS NULL OR s.synced_to <= %(began)s)
    RETURNING s.id, s.due_at, s.withheld"""


async def looked(
    tx: Tx, readings: Mapping[UUID, tuple[int, str | None, str | None]], began: datetime, answered: datetime
) -> dict[UUID, bool]:
    """Record readings, {slot id: (number, version, hold)}: what channels show is what we expect from here on.

    As `slots.looked` for slots that nobody holds: one that somebody writes to, or whose last write may still land, is
    left alone. Answers those recorded, and whether each falls due.
    """
    ids = list(readings)
    params = {
        "ids": ids, "seen": [readings[id_][0] for id_ in ids], "versions": [readings[id_][1] for id_ in ids],
        "held": [readings[id_][2] for id_ in ids], "began": began, "answered": answered,
    }  # fmt: skip
    rows: list[dict[str, Any]] = await tx.all(_LOOKED, params)
    return {row["id"]: row["due_at"] is not None and not row["withheld"] for row in rows}


async def hold(tx: Tx, slot_id: UUID, held: str | None) -> None:
    """Keep a slot's number from being written (asked, left), or let it go: then it falls due where it differs."""
    await tx.run(
        """UPDATE stock_slot SET held = %(held)s,
               held_desired = CASE WHEN %(held)s::text IS NULL THEN NULL ELSE desired END,
               due_at = CASE WHEN %(held)s::text IS NULL AND desired IS NOT NULL AND parked_code IS NULL
                                  AND expected IS DISTINCT FROM desired THEN coalesce(due_at, now()) ELSE due_at END
           WHERE id = %(id)s""",
        {"held": held, "id": slot_id},
    )
