"""Links from listings to SKUs: what is unlinked, what would match it, and many links written at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from hub.likeness import Known
from hub.linking import gtin, gtin_forms
from hub.refusal import Refusal
from hub.store import Tx, new_id

Sold: TypeAlias = tuple[UUID | None, int]  # sku, multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A listing and what it shall sell; no SKU: unlinked. `how`: sku, gtin, person or file."""

    listing_id: UUID
    sku_id: UUID | None
    multiplier: int = 1
    how: str = "person"


async def unlinked(
    tx: Tx, account_id: UUID | None = None, *, after: UUID | None = None, limit: int = 1000
) -> list[dict[str, Any]]:
    """Listings without a SKU, by id from `after` on."""
    return await tx.all(
        """SELECT l.id, l.account_id, a.name AS account, l.ref, l.variation_ref, l.channel_sku, l.gtin, l.title
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           WHERE l.sku_id IS NULL AND l.gone_at IS NULL AND a.status <> 'closed'
             AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)
             AND (%(after)s::uuid IS NULL OR l.id > %(after)s)
           ORDER BY l.id LIMIT %(limit)s""",
        {"account": account_id, "after": after, "limit": limit},
    )


async def unlinked_count(tx: Tx, account_id: UUID | None = None) -> int:
    """How many listings have no SKU."""
    count: int = await tx.value(
        """SELECT count(*) FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           WHERE l.sku_id IS NULL AND l.gone_at IS NULL AND a.status <> 'closed'
             AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)""",
        {"account": account_id},
    )
    return count


async def matches(tx: Tx, codes: Sequence[str], gtins: Sequence[str]) -> tuple[dict[str, UUID], dict[str, list[UUID]]]:
    """SKUs by code, and by GTIN in its 14-digit form (a GTIN on two SKUs answers both, one that is not valid none)."""
    rows = await tx.all("SELECT id, code FROM sku WHERE code = ANY(%s)", [list(codes)])
    by_code = {row["code"]: row["id"] for row in rows}
    forms = sorted({form for told in gtins for form in gtin_forms(told)})
    by_gtin: dict[str, list[UUID]] = {}
    if forms:
        for row in await tx.all("SELECT id, gtin FROM sku WHERE gtin = ANY(%s) ORDER BY code", [forms]):
            by_gtin.setdefault(gtin(row["gtin"]) or "", []).append(row["id"])
    return by_code, by_gtin


async def known(tx: Tx) -> list[Known]:
    """Every SKU, as suggestions compare them."""
    return [Known(**row) for row in await tx.all("SELECT id, code, title, gtin FROM sku ORDER BY id")]


async def codes(tx: Tx, sku_ids: Collection[UUID]) -> dict[UUID, str]:
    """Codes of SKUs."""
    rows = await tx.all("SELECT id, code FROM sku WHERE id = ANY(%s)", [list(sku_ids)])
    return {row["id"]: row["code"] for row in rows}


async def case_twins(tx: Tx, wanted: Sequence[str]) -> dict[str, str]:
    """Of these codes those that a SKU has in another case, with that SKU's code."""
    rows = await tx.all("SELECT code FROM sku WHERE lower(code) = ANY(%s)", [sorted({code.lower() for code in wanted})])
    there: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        there[row["code"].lower()].add(row["code"])
    return {code: min(same) for code in wanted if (same := there[code.lower()]) and code not in same}


async def put_skus(tx: Tx, rows: Sequence[tuple[str, str, str | None]]) -> None:
    """SKUs of these (code, title, gtin), made where they are missing."""
    unique = {code: (title, number) for code, title, number in rows}
    await tx.run(
        """INSERT INTO sku (seller_id, id, code, title, gtin)
           SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING""",
        [tx.seller, [new_id() for _ in unique], list(unique), [title for title, _ in unique.values()],
         [number for _, number in unique.values()]],
    )  # fmt: skip


async def around(tx: Tx, listing_ids: Sequence[UUID]) -> tuple[list[UUID], set[UUID]]:
    """The slots of these listings, in id order, and the SKUs that these are linked to now."""
    rows = await tx.all("SELECT slot_id, sku_id FROM listing WHERE id = ANY(%s)", [list(listing_ids)])
    return sorted({row["slot_id"] for row in rows}), {row["sku_id"] for row in rows if row["sku_id"]}


async def put(tx: Tx, wanted: Sequence[Link]) -> dict[UUID, Refusal]:
    """Link listings, or unlink them. Answers what is refused (see `conflicts`); the rest is written.

    The slots must be locked.
    """
    refused = await conflicts(tx, wanted)
    good = [link for link in wanted if link.listing_id not in refused]
    slot_ids, _skus = await around(tx, [link.listing_id for link in good])
    await _write(tx, good, slot_ids)
    return refused


async def conflicts(tx: Tx, wanted: Sequence[Link], called: Mapping[UUID, str] | None = None) -> dict[UUID, Refusal]:
    """Why some of these links cannot be, by listing, in one sentence that names both places; nothing is written.

    Two SKUs, or two multipliers, on one slot are refused, whether its listings are linked now or were before.
    `called`: codes of SKUs that are not there yet.
    """
    told = {link.listing_id: link for link in wanted}
    rows = await tx.all(
        """SELECT l.id, l.slot_id, concat_ws(':', l.ref, l.variation_ref) AS name, l.sku_id, l.multiplier
           FROM listing l
           WHERE l.slot_id IN (SELECT slot_id FROM listing WHERE id = ANY(%(ids)s))
             AND (l.gone_at IS NULL OR l.id = ANY(%(ids)s)) ORDER BY l.id""",
        {"ids": list(told)},
    )
    skus = {link.sku_id for link in wanted if link.sku_id} | {row["sku_id"] for row in rows if row["sku_id"]}
    names = {**(called or {}), **await codes(tx, skus)}
    gone = told.keys() - {row["id"] for row in rows}
    refused = {each: Refusal(f"there is no listing {each}", "no_listing", one=each) for each in gone}
    slots: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        slots[row["slot_id"]].append(row)
    for listings in slots.values():
        refused |= _conflicts(listings, told, names)
    return refused | await _told_twice(tx, [link for link in wanted if link.listing_id not in refused], names)


async def _told_twice(tx: Tx, wanted: Sequence[Link], names: Mapping[UUID, str]) -> dict[UUID, Refusal]:
    """A source tells each SKU in one place: two numbers of one stock cannot both be the truth."""
    rows = await tx.all(
        """SELECT t.id, t.sku_id, a.name AS account, s.id AS slot_id,
                  (SELECT concat_ws(':', o.listing_ref, o.variation_ref) FROM stock_slot o
                   WHERE o.account_id = s.account_id AND o.sku_id = t.sku_id AND o.id <> s.id AND o.status <> 'closed'
                   LIMIT 1) AS other
           FROM unnest(%s::uuid[], %s::uuid[]) AS t(id, sku_id) JOIN listing l ON l.id = t.id
           JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
           JOIN account a ON a.seller_id = s.seller_id AND a.id = s.account_id AND a.stock_role = 'source'
           WHERE t.sku_id IS NOT NULL""",
        [[link.listing_id for link in wanted], [link.sku_id for link in wanted]],
    )
    slots: dict[UUID, UUID] = {}
    refused = {}
    for row in rows:
        first = slots.setdefault(row["sku_id"], row["slot_id"])
        if row["other"] or first != row["slot_id"]:
            place = f"listing {row['other']}" if row["other"] else "another listing of this file"
            sku = names.get(row["sku_id"])
            refused[row["id"]] = Refusal(
                f"{row['account']} is the source of stock and tells {sku} by {place} already: "
                "a source tells each SKU in one place",
                "told_twice" if row["other"] else "told_twice_here", account=row["account"], sku=sku, two=row["other"],
            )  # fmt: skip
    return refused


def _conflicts(
    listings: Sequence[Mapping[str, Any]], told: Mapping[UUID, Link], called: Mapping[UUID, str]
) -> dict[UUID, Refusal]:
    """What the listings of one slot would sell, where that is not one and the same."""
    sells: dict[UUID, Sold] = {
        row["id"]: (told[row["id"]].sku_id, told[row["id"]].multiplier) if row["id"] in told
        else (row["sku_id"], row["multiplier"])
        for row in listings
    }  # fmt: skip
    refused = {}
    for row in listings:
        mine = sells[row["id"]]
        if row["id"] not in told or mine[0] is None:
            continue
        other = next((o for o in listings if sells[o["id"]][0] and sells[o["id"]] != mine), None)
        if other is not None:
            sku_id, units = sells[other["id"]]
            verb = "would be" if other["id"] in told else "is"
            sku = called.get(sku_id) if sku_id else None
            refused[row["id"]] = Refusal(
                f"listing {row['name']} shares its stock with listing {other['name']}, which {verb} linked to "
                f"{units} x {sku}: link both to the same",
                "slot_shared", one=row["name"], two=other["name"], units=units, sku=sku,
            )  # fmt: skip
    return refused


async def _write(tx: Tx, good: Sequence[Link], slot_ids: Sequence[UUID]) -> None:
    """The links, and what each slot sells by them: one and the same, or nothing known."""
    await _remember(tx, good)
    await tx.run(
        """UPDATE listing l SET sku_id = t.sku_id, multiplier = t.multiplier,
               linked_by = CASE WHEN t.sku_id IS NOT NULL THEN t.how END
           FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::text[]) AS t(id, sku_id, multiplier, how)
           WHERE l.id = t.id""",
        [[link.listing_id for link in good], [link.sku_id for link in good], [link.multiplier for link in good],
         [link.how for link in good]],
    )  # fmt: skip
    await tx.run(
        """UPDATE stock_slot s SET sku_id = told.sku_id, multiplier = coalesce(told.multiplier, 1), desired = NULL,
               due_at = NULL, adopted_at = NULL, adopt_since = (SELECT now() FROM account a WHERE a.id = s.account_id
                   AND a.stock_role = 'source' AND told.sku_id IS NOT NULL AND s.managed_by = 'seller')
           FROM (SELECT slot_id, max(sku_id::text) FILTER (WHERE gone_at IS NULL)::uuid AS sku_id,
                        max(multiplier) FILTER (WHERE gone_at IS NULL AND sku_id IS NOT NULL) AS multiplier
                 FROM listing WHERE slot_id = ANY(%s) GROUP BY slot_id) told
           WHERE s.id = told.slot_id
             AND (s.sku_id IS DISTINCT FROM told.sku_id OR s.multiplier <> coalesce(told.multiplier, 1))""",
        [list(slot_ids)],
    )
    await _tell_source(tx, slot_ids)


async def _remember(tx: Tx, good: Sequence[Link]) -> None:
    """What changes of these links, for the listing's history, and who changed it (balcao.actor)."""
    await tx.run(
        """INSERT INTO listing_link (seller_id, id, listing_id, sku_code, multiplier, linked_by, actor)
           SELECT l.seller_id, t.new, l.id, k.code, t.multiplier, CASE WHEN k.id IS NOT NULL THEN t.how END,
               coalesce(nullif(current_setting('balcao.actor', true), ''), 'flow')
           FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::text[])
               AS t(new, id, sku_id, multiplier, how)
           JOIN listing l ON l.id = t.id LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = t.sku_id
           WHERE (l.sku_id, l.multiplier) IS DISTINCT FROM (t.sku_id, t.multiplier)""",
        [[new_id() for _ in good], [link.listing_id for link in good], [link.sku_id for link in good],
         [link.multiplier for link in good], [link.how for link in good]],
    )  # fmt: skip


async def _tell_source(tx: Tx, slot_ids: Sequence[UUID]) -> None:
    """A source's number of what was linked now is adopted."""
    await tx.run(
        """UPDATE task t SET due_at = now() WHERE t.kind = 'source' AND t.account_id IN
           (SELECT s.account_id FROM stock_slot s WHERE s.id = ANY(%s) AND s.adopt_since IS NOT NULL)""",
        [list(slot_ids)],
    )


async def orders_of(tx: Tx, listing_ids: Sequence[UUID], *, stale: bool = False) -> list[UUID]:
    """Orders that sold these listings, by id, those that left too: what left before a count must not move it later.

    `stale`: only those with a line that does not follow its listing's link (yet).
    """
    rows = await tx.all(
        """SELECT DISTINCT o.id FROM listing t
           JOIN order_line l ON l.seller_id = t.seller_id AND l.listing_ref = t.ref
             AND l.variation_ref IS NOT DISTINCT FROM t.variation_ref
           JOIN orders o ON o.seller_id = l.seller_id AND o.id = l.order_id AND o.account_id = t.account_id
           WHERE t.id = ANY(%(ids)s) AND o.status <> 'cancelled'
             AND (NOT %(stale)s OR t.sku_id IS NOT NULL
                  AND (l.sku_id IS DISTINCT FROM t.sku_id OR l.multiplier <> t.multiplier))
           ORDER BY o.id""",
        {"ids": list(listing_ids), "stale": stale},
    )
    return [row["id"] for row in rows]


async def of_sheet(
    tx: Tx, account_id: UUID | None, *, unlinked_only: bool, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Listings as a file of links has them, by id from `after` on."""
    return await tx.all(
        """SELECT l.id, a.name AS account, l.ref, l.variation_ref, l.title, l.channel_sku, l.gtin, k.code AS sku,
                  l.multiplier, l.linked_by
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.gone_at IS NULL AND a.status <> 'closed'
             AND (%(account)s::uuid IS NULL OR l.account_id = %(account)s)
             AND (NOT %(unlinked)s OR l.sku_id IS NULL) AND (%(after)s::uuid IS NULL OR l.id > %(after)s)
           ORDER BY l.id LIMIT %(limit)s""",
        {"account": account_id, "unlinked": unlinked_only, "after": after, "limit": limit},
    )


async def named(tx: Tx, refs: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Listings that answer to these channel refs, by ref."""
    rows = await tx.all(
        """SELECT l.id, l.ref, l.variation_ref, a.name AS account, l.slot_id, k.code AS sku, l.multiplier, l.title,
                  l.channel_sku, l.gtin
           FROM listing l JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id
           LEFT JOIN sku k ON k.seller_id = l.seller_id AND k.id = l.sku_id
           WHERE l.ref = ANY(%s) AND l.gone_at IS NULL AND a.status <> 'closed' ORDER BY l.id""",
        [list(refs)],
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["ref"]].append(row)
    return found


async def duplicates(
    tx: Tx, limit: int = 200, *, kind: str | None = None, after: tuple[str, str, str] | None = None,
    most: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """What is there twice and cannot be told apart, by (kind, name, key): {kind, name, key, count, places, ids}.

    Kinds as in docs/CLI.md; `ids` of the SKUs (code_case, gtin) or listings (slot, listing) that `places` name, of both
    the first `most`.
    """
    return await tx.all(
        """WITH shared AS MATERIALIZED (  -- what may be there twice, before any of it is told
             SELECT slot_id FROM listing WHERE gone_at IS NULL AND channel_sku IS NOT NULL
             GROUP BY slot_id HAVING min(channel_sku) < max(channel_sku)
           ), repeated AS MATERIALIZED (
             SELECT account_id, channel_sku FROM listing WHERE gone_at IS NULL AND channel_sku IS NOT NULL
             GROUP BY account_id, channel_sku HAVING count(*) > 1
           )
           SELECT kind, name, key, cardinality(ids) AS count, places[1:%(most)s] AS places, ids[1:%(most)s] AS ids
           FROM (
             SELECT 'code_case'::text AS kind, lower(code) AS name, '' AS key,
                    array_agg('SKU ' || code ORDER BY code) AS places, array_agg(id ORDER BY code) AS ids
             FROM sku GROUP BY lower(code) HAVING count(*) > 1
             UNION ALL
             SELECT 'gtin', lpad(gtin, 14, '0'), '', array_agg('SKU ' || code ORDER BY code),
                    array_agg(id ORDER BY code) FROM sku
             WHERE gtin ~ '^[0-9]{8,14}$' GROUP BY lpad(gtin, 14, '0') HAVING count(*) > 1
             UNION ALL
             SELECT 'slot', min(s.ref), l.slot_id::text,
                    array_agg(a.name || ' ' || concat_ws(':', l.ref, l.variation_ref) || ' (' || l.channel_sku || ')'
                              ORDER BY l.id), array_agg(l.id ORDER BY l.id)
             FROM shared JOIN listing l USING (slot_id)
             JOIN stock_slot s ON s.seller_id = l.seller_id AND s.id = l.slot_id
             JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id AND a.status <> 'closed'
             WHERE l.gone_at IS NULL AND l.channel_sku IS NOT NULL
             GROUP BY l.seller_id, l.slot_id
             UNION ALL
             SELECT 'listing', l.channel_sku, l.account_id::text,
                    array_agg(a.name || ' ' || concat_ws(':', l.ref, l.variation_ref) ORDER BY l.id),
                    array_agg(l.id ORDER BY l.id)
             FROM repeated JOIN listing l USING (account_id, channel_sku)
             JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id AND a.status <> 'closed'
             WHERE l.gone_at IS NULL
             GROUP BY l.account_id, l.channel_sku HAVING count(DISTINCT l.slot_id) > 1
           ) twice
           WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
             AND (%(after)s::text IS NULL OR (kind, name, key) > (%(after)s, %(name)s, %(key)s))
           ORDER BY kind, name, key LIMIT %(limit)s""",
        {
            "limit": limit, "kind": kind, "most": most or 2**31 - 1,
            **dict(zip(("after", "name", "key"), after or (None, None, None), strict=True)),
        },
    )  # fmt: skip
