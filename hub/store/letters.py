"""Dead letters: what stands still until a person acts, of five kinds, by keyset; and how many each replay would take.

Each kind is a literal predicate that a partial index holds (0003_letters.sql), so that a list reads those rows only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

KINDS = ("inbox", "slot", "shipment", "tracking", "purchase")
REPLAYABLE = ("inbox", "slot", "shipment", "tracking")  # a purchase in doubt is settled by a person, never asked again
MOST = 10_000  # counted no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which letters of a kind are meant; every part that is given narrows. `reason`: as `reasons` names it."""

    kind: str
    account_id: UUID | None = None
    reason: str | None = None
    ids: Sequence[UUID] | None = None

    def params(self) -> dict[str, Any]:
        """For the queries."""
        return {
            "account": self.account_id, "reason": self.reason, "ids": None if self.ids is None else list(self.ids),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where the letters of a kind stand (table as x), who they belong to, and what is told of each."""

    table: LiteralString
    where: LiteralString
    account: LiteralString
    reason: LiteralString
    told: LiteralString
    joins: LiteralString = ""


_KIND: dict[str, _Kind] = {
    "inbox": _Kind(
        "inbox", "x.state = 'parked'", "account_id", "split_part(x.error, ':', 1)",
        "x.topic AS what, x.ref, NULL AS code, x.error AS said, x.received_at AS since, x.raw IS NOT NULL AS has_raw, "
        "o.id AS order_id, o.status AS order_status, o.number AS order_number",
        "LEFT JOIN orders o ON o.seller_id = x.seller_id AND o.account_id = x.account_id AND o.ref = x.ref "
        "AND x.topic = 'order'",
    ),
    "slot": _Kind(
        "stock_slot", "x.parked_code IS NOT NULL", "account_id", "x.parked_code",
        "k.code AS what, coalesce(x.listing_ref || ':' || x.variation_ref, x.listing_ref) AS ref, "
        "x.parked_code AS code, x.parked_reason AS said, "
        "coalesce((SELECT max(p.answered_at) FROM push_log p WHERE p.seller_id = x.seller_id AND p.slot_id = x.id), "
        "x.seen_at) AS since, x.expected AS shows, x.desired, x.managed_by, x.status AS listing_status, x.braked",
        "LEFT JOIN sku k ON k.seller_id = x.seller_id AND k.id = x.sku_id",
    ),
    "shipment": _Kind(
        "shipment", "x.news_parked IS NOT NULL", "account_id", "split_part(x.news_parked, ':', 1)",
        "x.status AS what, coalesce(x.tracking_code, x.ref) AS ref, NULL AS code, x.news_parked AS said, "
        "coalesce((SELECT l.opened_at FROM alert l WHERE l.seller_id = x.seller_id AND l.kind = 'shipment_untold' "
        "AND l.subject = x.id::text AND l.resolved_at IS NULL), x.last_event_at, x.created_at) AS since, "
        "x.news_told, x.source",
    ),
    "tracking": _Kind(
        "shipment",
        "x.ended_at IS NULL AND (x.left_alone = 'ambiguous' OR (x.track_error IS NOT NULL "
        "AND (x.track_due_at IS NULL OR x.track_attempts >= 3)))",
        "coalesce(x.carrier_account_id, x.account_id)", "CASE WHEN x.left_alone = 'ambiguous' THEN 'ambiguous' "
        "WHEN x.track_due_at IS NULL THEN 'let_go' ELSE split_part(x.track_error, ':', 1) END",
        "x.status AS what, coalesce(x.tracking_code, x.ref) AS ref, x.left_alone AS code, x.track_error AS said, "
        "coalesce(x.not_found_since, x.last_event_at, x.created_at) AS since, x.carrier",
    ),
    "purchase": _Kind(
        "freight_label", "x.status = 'doubt'", "account_id", "coalesce(split_part(x.error, ':', 1), '')",
        "x.service AS what, x.reference AS ref, NULL AS code, x.error AS said, "
        "coalesce(x.tried_at, x.created_at) AS since, x.order_id, o.number AS order_number",
        "LEFT JOIN orders o ON o.seller_id = x.seller_id AND o.id = x.order_id",
    ),
}  # fmt: skip


def _where(kind: _Kind) -> LiteralString:
    return f"""{kind.where} AND (%(account)s::uuid IS NULL OR {_owner(kind)} = %(account)s)
        AND (%(reason)s::text IS NULL OR {kind.reason} = %(reason)s)
        AND (%(ids)s::uuid[] IS NULL OR x.id = ANY(%(ids)s::uuid[]))"""


def _owner(kind: _Kind) -> LiteralString:
    """Whose letters they are: a column of x, or an expression."""
    return kind.account if "(" in kind.account else "x." + kind.account


async def listed(tx: Tx, scope: Scope, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Newest ids first: id, account_id, account, channel, account_status, what, ref, code, said, reason, since, ..."""
    kind = _KIND[scope.kind]
    sql = f"""
        SELECT x.id, a.id AS account_id, a.name AS account, a.channel, a.status AS account_status,
               {kind.reason} AS reason, {kind.told}
        FROM {kind.table} x JOIN account a ON a.seller_id = x.seller_id AND a.id = {_owner(kind)} {kind.joins}
        WHERE {_where(kind)} AND (%(after)s::uuid IS NULL OR x.id < %(after)s)
        ORDER BY x.id DESC LIMIT %(limit)s"""
    return await tx.all(sql, {**scope.params(), "after": after, "limit": limit})


async def ids(tx: Tx, scope: Scope, after: UUID | None, limit: int) -> list[UUID]:
    """Their ids alone, newest first."""
    kind = _KIND[scope.kind]
    sql = f"""
        SELECT x.id FROM {kind.table} x WHERE {_where(kind)} AND (%(after)s::uuid IS NULL OR x.id < %(after)s)
        ORDER BY x.id DESC LIMIT %(limit)s"""
    return [row["id"] for row in await tx.all(sql, {**scope.params(), "after": after, "limit": limit})]


async def tally(tx: Tx, scope: Scope) -> list[dict[str, Any]]:
    """How many of the newest MOST by account and reason: account_id, account, account_status, reason, count."""
    kind = _KIND[scope.kind]
    sql = f"""
        SELECT t.account_id, a.name AS account, a.status AS account_status, t.reason, count(*)::int AS count
        FROM (SELECT x.seller_id, {_owner(kind)} AS account_id, {kind.reason} AS reason FROM {kind.table} x
              WHERE {_where(kind)} ORDER BY x.id DESC LIMIT %(most)s) t
        JOIN account a ON a.seller_id = t.seller_id AND a.id = t.account_id
        GROUP BY t.account_id, a.name, a.status, t.reason ORDER BY count(*) DESC, a.name, t.reason"""
    return await tx.all(sql, {**scope.params(), "most": MOST})


async def counts(tx: Tx) -> dict[str, int]:
    """How many there are of each kind, counted up to MOST."""
    told: dict[str, int] = {}
    for name, kind in _KIND.items():
        sql = f"SELECT count(*)::int FROM (SELECT FROM {kind.table} x WHERE {kind.where} LIMIT %s) t"
        told[name] = await tx.value(sql, [MOST + 1])
    return told


async def by_account(tx: Tx) -> dict[UUID, int]:
    """How many dead letters each account has, of every kind."""
    told: dict[UUID, int] = {}
    for name in KINDS:
        for row in await tally(tx, Scope(kind=name)):
            told[row["account_id"]] = told.get(row["account_id"], 0) + row["count"]
    return told


async def letter(tx: Tx, inbox_id: UUID) -> dict[str, Any] | None:
    """A row of the inbox whole, with its raw document; whatever its state."""
    return await tx.one(
        """SELECT i.id, i.account_id, a.name AS account, a.channel, i.source, i.topic, i.ref, i.state, i.told_at,
                  i.received_at, i.attempts, i.error, i.raw
           FROM inbox i JOIN account a ON a.seller_id = i.seller_id AND a.id = i.account_id WHERE i.id = %s""",
        [inbox_id],
    )


async def told_again(tx: Tx, ids_: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """(account, alert's subject) of these rows of the inbox, once each."""
    rows = await tx.all("SELECT DISTINCT account_id, topic, ref FROM inbox WHERE id = ANY(%s)", [list(ids_)])
    return [(row["account_id"], f"{row['account_id']}/{row['topic']}/{row['ref']}") for row in rows]


async def tell_again(tx: Tx, ids_: Sequence[UUID], now: datetime) -> list[UUID]:
    """Tell channels again what they refused of these parcels. Answers the accounts."""
    rows = await tx.all(
        """UPDATE shipment SET news_due_at = %s, news_dirty_at = coalesce(news_dirty_at, %s), news_parked = NULL,
               news_attempts = 0 WHERE id = ANY(%s) AND news_parked IS NOT NULL RETURNING account_id""",
        [now, now, list(ids_)],
    )
    return [row["account_id"] for row in rows]


async def ask_again(tx: Tx, ids_: Sequence[UUID], now: datetime) -> list[UUID]:
    """Ask the carriers that follow these parcels again, now. Answers their accounts."""
    rows = await tx.all(
        """UPDATE shipment SET track_due_at = %s, track_attempts = 0, track_error = NULL
           WHERE id = ANY(%s) AND carrier_account_id IS NOT NULL AND left_alone IS DISTINCT FROM 'ambiguous'
           RETURNING carrier_account_id""",
        [now, list(ids_)],
    )
    return [row["carrier_account_id"] for row in rows]
