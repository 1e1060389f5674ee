"""Tracking: which parcels are due, who has them, their scans, and what carriers told that cannot be settled yet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.model import TrackedObject, TrackingEvent, TrackingStatus
from hub.parse import digest
from hub.store import Tx

LEASE = timedelta(seconds=60)
AHEAD = timedelta(minutes=10)  # a request that leaves anyway takes along what is due soon
OVER = "{delivered,returned,lost,cancelled}"

# ── What is due ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed parcel to ask a carrier about; `code` is what it is asked by, once that was settled.

    `carrier_ref`: the carrier's own id of the label, where it was bought there.
    """

    id: UUID
    code: str | None
    tracking_code: str | None
    service: str | None
    carrier_ref: str | None
    track_attempts: int


async def claim(tx: Tx, carrier_account_id: UUID, token: UUID, worker: int, now: datetime, limit: int) -> list[Parcel]:
    """Take up to `limit` parcels to ask about: those due and, while there is room, those due soon."""
    sql = """
        WITH due AS (
            SELECT s.seller_id, s.id FROM shipment s
            WHERE s.carrier_account_id = %(account)s AND s.track_due_at <= %(soon)s
              AND (s.track_due_at <= %(now)s OR s.track_attempts = 0)
              AND (s.lease_until IS NULL OR s.lease_until <= %(now)s)
              AND EXISTS (SELECT FROM shipment r WHERE r.carrier_account_id = %(account)s AND r.track_due_at <= %(now)s
                  AND (r.lease_until IS NULL OR r.lease_until <= %(now)s))
            ORDER BY s.track_due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE shipment s SET lease_token = %(token)s, lease_until = %(until)s, lease_by = %(worker)s
        FROM due LEFT JOIN LATERAL (SELECT l.code FROM shipment_leg l WHERE l.seller_id = due.seller_id
            AND l.shipment_id = due.id AND l.account_id = %(account)s ORDER BY l.position DESC LIMIT 1) leg ON true
        WHERE s.seller_id = due.seller_id AND s.id = due.id
        RETURNING s.id, leg.code, s.tracking_code, s.service, s.track_attempts,
            (SELECT f.ref FROM freight_label f WHERE f.seller_id = s.seller_id AND f.shipment_id = s.id
               AND f.account_id = %(account)s ORDER BY f.bought_at DESC NULLS LAST LIMIT 1) AS carrier_ref"""
    soon = now + AHEAD if limit > 1 else now
    params = {
        "account": carrier_account_id, "now": now, "soon": soon, "limit": limit, "token": token, "until": now + LEASE,
        "worker": worker,
    }  # fmt: skip
    return [Parcel(**row) for row in await tx.all(sql, params)]


async def later(tx: Tx, token: UUID, ids: Iterable[UUID], due_at: datetime, error: str) -> None:
    """A carrier could not be asked: ask again at `due_at`."""
    sql = """
        UPDATE shipment SET track_due_at = %s, track_attempts = track_attempts + 1, track_error = %s,
            lease_token = NULL, lease_until = NULL, lease_by = NULL WHERE lease_token = %s AND id = ANY(%s)"""
    await tx.run(sql, [due_at, error[:500], token, list(ids)])


# ── Who has a parcel ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A parcel as it stands, locked. `carriers`: every channel that has had it, first to last."""

    id: UUID
    account_id: UUID
    carrier_account_id: UUID | None
    carrier: str | None
    service: str | None
    tracking_code: str | None
    status: str | None
    deliver_by: datetime | None
    created_at: datetime
    not_found_since: datetime | None
    heard_at: datetime | None
    track_due_at: datetime | None
    carriers: Sequence[str]
    codes: Sequence[str]


async def lock(tx: Tx, ids: Iterable[UUID]) -> list[Followed]:
    """These parcels, locked in id order so that two answers that tell of the same ones do not block each other."""
    rows = await tx.all(
        """SELECT s.id, s.account_id, s.carrier_account_id, s.carrier, s.service, s.tracking_code, s.status,
                  s.deliver_by, s.created_at, s.not_found_since, s.heard_at, s.track_due_at,
                  ARRAY(SELECT l.carrier FROM shipment_leg l WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id
                        ORDER BY l.position) AS carriers,
                  ARRAY(SELECT l.code FROM shipment_leg l WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id
                        ORDER BY l.position) AS codes
           FROM shipment s WHERE s.id = ANY(%s) ORDER BY s.id FOR UPDATE OF s""",
        [list(ids)],
    )
    return [Followed(**row) for row in rows]


async def known_as(tx: Tx, account_id: UUID, codes: Sequence[str]) -> dict[str, list[UUID]]:
    """The parcels that a carrier account knows, or has known, by these codes."""
    rows = await tx.all(
        """SELECT l.code, l.shipment_id AS id FROM shipment_leg l WHERE l.account_id = %(account)s
               AND l.code = ANY(%(codes)s)
           UNION SELECT s.tracking_code, s.id FROM shipment s WHERE s.carrier_account_id = %(account)s
               AND s.tracking_code = ANY(%(codes)s)
           UNION SELECT f.ref, f.shipment_id FROM freight_label f WHERE f.account_id = %(account)s
               AND f.ref = ANY(%(codes)s) AND f.shipment_id IS NOT NULL""",
        {"account": account_id, "codes": list(codes)},
    )
    found: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        found[row["code"]].append(row["id"])
    return found


async def put_legs(tx: Tx, account_id: UUID, carrier: str, codes: Mapping[UUID, str]) -> None:
    """A carrier has these parcels now, and knows each by this code."""
    await tx.many(
        """INSERT INTO shipment_leg (seller_id, shipment_id, position, account_id, carrier, code)
           SELECT %s, %s, coalesce(max(position) + 1, 0), %s, %s, %s FROM shipment_leg WHERE shipment_id = %s
           ON CONFLICT DO NOTHING""",
        [(tx.seller, shipment_id, account_id, carrier, code, shipment_id) for shipment_id, code in codes.items()],
    )


async def leg_before(tx: Tx, shipment_id: UUID, account_id: UUID | None) -> UUID | None:
    """The account at the carrier that had a parcel before this one, where that account is still asked."""
    sql = """
        SELECT l.account_id FROM shipment_leg l
        JOIN account a ON a.seller_id = l.seller_id AND a.id = l.account_id AND a.status IN ('live', 'held')
        WHERE l.shipment_id = %(parcel)s AND l.position < (SELECT min(p.position) FROM shipment_leg p
            WHERE p.shipment_id = %(parcel)s AND p.account_id = %(account)s)
        ORDER BY l.position DESC LIMIT 1"""
    found: UUID | None = await tx.value(sql, {"parcel": shipment_id, "account": account_id})
    return found


async def carriers(tx: Tx, channels: Sequence[str]) -> list[tuple[str, UUID]]:
    """(channel, account) of the seller's accounts at these carriers."""
    rows = await tx.all(
        "SELECT channel, id FROM account WHERE channel = ANY(%s) AND status IN ('live', 'held') ORDER BY id",
        [list(channels)],
    )
    return [(row["channel"], row["id"]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untracked:
    """A parcel under way that no carrier account follows, or that went on to a carrier that none followed it to."""

    id: UUID
    carrier: str | None
    service: str | None
    tracking_code: str | None
    next_carrier: str | None
    next_code: str | None


async def untracked(tx: Tx, ids: Sequence[UUID] | None, after: UUID | None = None, limit: int = 500) -> list[Untracked]:
    """Parcels (of these) that wait for a carrier account, locked, in id order from `after` on."""
    sql = f"""
        SELECT s.id, s.carrier, s.service, s.tracking_code,
               CASE WHEN s.carrier_account_id IS NOT NULL THEN s.next_carrier END AS next_carrier,
               CASE WHEN s.carrier_account_id IS NOT NULL THEN s.next_code END AS next_code
        FROM shipment s
        WHERE (%s::uuid[] IS NULL OR s.id = ANY(%s)) AND (%s::uuid IS NULL OR s.id > %s)
          AND NOT coalesce(s.status, '') = ANY('{OVER}')
          AND (s.carrier_account_id IS NULL AND s.tracking_code IS NOT NULL
               OR s.carrier_account_id IS NOT NULL AND s.next_code IS NOT NULL AND NOT EXISTS (
                   SELECT FROM shipment_leg l WHERE l.seller_id = s.seller_id AND l.shipment_id = s.id
                     AND l.code = s.next_code))
        ORDER BY s.id LIMIT %s FOR UPDATE OF s"""
    wanted = list(ids) if ids is not None else None
    return [Untracked(**row) for row in await tx.all(sql, [wanted, wanted, after, after, limit])]


async def follow(tx: Tx, account_id: UUID, ids: Iterable[UUID], now: datetime) -> None:
    """A carrier account follows these parcels from now on."""
    await tx.run(
        "UPDATE shipment SET carrier_account_id = %s, track_due_at = %s, left_alone = NULL, not_found_since = NULL, "
        "heard_at = NULL WHERE id = ANY(%s)",
        [account_id, now, list(ids)],
    )


async def coded(tx: Tx, code: str) -> list[UUID]:
    """The parcels of a tracking code that are still under way."""
    rows = await tx.all(
        f"SELECT id FROM shipment WHERE tracking_code = %s AND NOT coalesce(status, '') = ANY('{OVER}') FOR UPDATE",
        [code],
    )
    return [row["id"] for row in rows]


async def leave_alone(tx: Tx, why: Mapping[UUID, str]) -> None:
    """Nobody follows these parcels, and why."""
    await tx.many(
        "UPDATE shipment SET left_alone = %s WHERE id = %s AND left_alone IS DISTINCT FROM %s",
        [(reason, shipment_id, reason) for shipment_id, reason in why.items()],
    )


# ── Scans ───────────────────────────────────────────────────────────────────────────────────────────────────


async def events_of(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[str, tuple[TrackingEvent, ...]]]:
    """What each carrier told of these parcels, oldest first."""
    rows = await tx.all(
        "SELECT shipment_id, carrier, at, raw_at, zone, status, raw_code, description, place, state, revokes, revoked "
        "FROM tracking_event WHERE shipment_id = ANY(%s) ORDER BY shipment_id, at, position",
        [list(ids)],
    )
    found: dict[UUID, dict[str, tuple[TrackingEvent, ...]]] = defaultdict(dict)
    for row in rows:
        of = found[row.pop("shipment_id")]
        carrier = row.pop("carrier")
        of[carrier] = (*of.get(carrier, ()), TrackingEvent(**{**row, "status": TrackingStatus(row["status"])}))
    return found


async def put_events(tx: Tx, told: Sequence[tuple[UUID, str, Sequence[TrackingEvent]]]) -> None:
    """Write the settled scans that carriers told of parcels: a known one may be revoked now, or its code understood."""
    sql = """
        INSERT INTO tracking_event (seller_id, shipment_id, carrier, at, raw_at, zone, raw_code, place, state, status,
            description, revokes, revoked, position)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (seller_id, shipment_id, carrier, at, raw_code, place, state) DO UPDATE SET
            status = excluded.status, revoked = excluded.revoked, revokes = excluded.revokes,
            position = excluded.position, description = excluded.description, raw_at = excluded.raw_at,
            zone = excluded.zone"""
    rows = [
        (tx.seller, shipment_id, carrier, e.at, e.raw_at, e.zone, e.raw_code, e.place, e.state, e.status.value,
         e.description, e.revokes, e.revoked, n)
        for shipment_id, carrier, events in told
        for n, e in enumerate(events)
    ]  # fmt: skip
    await tx.many(sql, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a parcel's scans add up to, to be written."""

    id: UUID
    told: TrackedObject
    status: TrackingStatus | None
    last_event_at: datetime | None
    next_at: datetime | None
    news_at: datetime | None
    not_found_since: datetime | None
    heard_at: datetime | None
    error: str | None


async def put(tx: Tx, settled: Sequence[Settled], token: UUID | None) -> None:
    """Write where these parcels stand; those that were claimed (`token`) are let go."""
    sql = """
        UPDATE shipment SET status = coalesce(%(status)s, status), deliver_by = coalesce(%(deliver_by)s, deliver_by),
            delayed = coalesce(%(delayed)s, delayed), last_event_at = coalesce(%(last)s, last_event_at),
            next_code = coalesce(%(next_code)s, next_code), next_carrier = coalesce(%(next_carrier)s, next_carrier),
            track_due_at = %(next_at)s, not_found_since = %(not_found)s, heard_at = %(heard)s, track_error = %(error)s,
            track_attempts = CASE WHEN %(token)s::uuid IS NULL THEN track_attempts ELSE 0 END,
            lease_until = CASE WHEN lease_token = %(token)s THEN NULL ELSE lease_until END,
            lease_by = CASE WHEN lease_token = %(token)s THEN NULL ELSE lease_by END,
            lease_token = CASE WHEN lease_token = %(token)s THEN NULL ELSE lease_token END,
            news_dirty_at = CASE WHEN %(news_at)s::timestamptz IS NOT NULL AND news_due_at IS NULL
                THEN clock_timestamp() ELSE news_dirty_at END,
            news_due_at = coalesce(news_due_at, %(news_at)s)
        WHERE id = %(id)s"""
    await tx.many(
        sql,
        [
            {
                "status": one.status, "deliver_by": one.told.deliver_by,
                "delayed": one.told.delayed if one.told.events else None,
                "last": one.last_event_at, "next_code": one.told.next_code.code if one.told.next_code else None,
                "next_carrier": one.told.next_code.carrier if one.told.next_code else None, "next_at": one.next_at,
                "not_found": one.not_found_since, "heard": one.heard_at, "error": one.error, "token": token,
                "news_at": one.news_at, "id": one.id,
            }
            for one in settled
        ],
    )  # fmt: skip


# ── What cannot be settled yet ──────────────────────────────────────────────────────────────────────────────


async def keep(tx: Tx, account_id: UUID, raw: bytes, codes: Iterable[str], reason: str, now: datetime) -> None:
    """Keep a document for what it tells of these codes. `reason`: unknown_code, unknown_parcel."""
    mark = digest(raw)
    await tx.run(
        "INSERT INTO tracking_document (seller_id, account_id, digest, raw, told_at) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        [tx.seller, account_id, mark, raw, now],
    )
    await tx.many(
        "INSERT INTO tracking_kept (seller_id, account_id, code, digest, reason) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        [(tx.seller, account_id, code, mark, reason) for code in codes],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A document kept for what it tells of one code."""

    code: str
    digest: str
    reason: str
    raw: bytes


async def kept(tx: Tx, account_id: UUID, codes: Sequence[str] | None, reason: str) -> list[Kept]:
    """What is kept of these codes (None: of all), oldest first."""
    rows = await tx.all(
        """SELECT k.code, k.digest, k.reason, d.raw FROM tracking_kept k JOIN tracking_document d
             ON d.seller_id = k.seller_id AND d.account_id = k.account_id AND d.digest = k.digest
           WHERE k.account_id = %s AND (%s::text[] IS NULL OR k.code = ANY(%s)) AND k.reason = %s
           ORDER BY d.told_at, k.code""",
        [account_id, codes, codes, reason],
    )
    return [Kept(**{**row, "raw": bytes(row["raw"])}) for row in rows]


async def accounts_with_kept(tx: Tx) -> list[UUID]:
    """Accounts that told codes in no table, and what they told is kept."""
    rows = await tx.all("SELECT DISTINCT account_id FROM tracking_kept WHERE reason = 'unknown_code' ORDER BY 1")
    return [row["account_id"] for row in rows]


async def drop_kept(tx: Tx, account_id: UUID, rows: Iterable[Kept]) -> None:
    """These are settled; a document that is kept for nothing else goes."""
    await tx.many(
        "DELETE FROM tracking_kept WHERE account_id = %s AND code = %s AND digest = %s AND reason = %s",
        [(account_id, one.code, one.digest, one.reason) for one in rows],
    )
    await tx.run(
        """DELETE FROM tracking_document d WHERE d.account_id = %s AND NOT EXISTS (SELECT FROM tracking_kept k
           WHERE k.seller_id = d.seller_id AND k.account_id = d.account_id AND k.digest = d.digest)""",
        [account_id],
    )


async def unknown_codes(tx: Tx) -> list[dict[str, Any]]:
    """Codes that are in no table of ours: how many scans and parcels, since when, and one of them."""
    return await tx.all(
        """SELECT e.carrier, e.raw_code, count(*)::int AS scans, count(DISTINCT e.shipment_id)::int AS parcels,
                  min(e.at) AS first_at, max(e.at) AS last_at,
                  (array_agg(e.description ORDER BY e.at DESC) FILTER (WHERE e.description IS NOT NULL))[1] AS example,
                  (array_agg(s.tracking_code ORDER BY e.at DESC))[1] AS parcel
           FROM tracking_event e JOIN shipment s ON s.seller_id = e.seller_id AND s.id = e.shipment_id
           WHERE e.status = 'unknown' AND NOT e.revokes GROUP BY e.carrier, e.raw_code
           ORDER BY count(*) DESC, e.carrier, e.raw_code"""
    )


async def strays(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Parcels that carriers told of and nobody knows, newest first."""
    return await tx.all(
        """SELECT a.channel, a.name AS account, k.code, count(*)::int AS tellings, max(d.told_at) AS last_at
           FROM tracking_kept k JOIN account a ON a.seller_id = k.seller_id AND a.id = k.account_id
           JOIN tracking_document d ON d.seller_id = k.seller_id AND d.account_id = k.account_id AND d.digest = k.digest
           WHERE k.reason = 'unknown_parcel' GROUP BY a.channel, a.name, k.code
           ORDER BY max(d.told_at) DESC LIMIT %s""",
        [limit],
    )


async def prune(tx: Tx, before: datetime) -> int:
    """Drop what was kept of parcels that nobody came to know."""
    count = await tx.run("DELETE FROM tracking_kept WHERE reason = 'unknown_parcel' AND kept_at < %s", [before])
    await tx.run(
        """DELETE FROM tracking_document d WHERE d.told_at < %s AND NOT EXISTS (SELECT FROM tracking_kept k
           WHERE k.seller_id = d.seller_id AND k.account_id = d.account_id AND k.digest = d.digest)""",
        [before],
    )
    return count


async def listen(tx: Tx, account_id: UUID, now: datetime) -> None:
    """A carrier's feed is read from now on."""
    await tx.run(
        "INSERT INTO task (seller_id, account_id, kind, due_at) VALUES (%s, %s, 'feed', %s) ON CONFLICT DO NOTHING",
        [tx.seller, account_id, now],
    )


# ── How soon channels were told ─────────────────────────────────────────────────────────────────────────────


async def log_told(tx: Tx, shipment_id: UUID, news: str, learnt_at: datetime | None) -> None:
    """Remember that a channel was told one thing, and since when we knew."""
    await tx.run(
        """INSERT INTO news_log (seller_id, shipment_id, news, happened_at, learnt_at, told_at)
           SELECT seller_id, id, %s, last_event_at, coalesce(%s, news_dirty_at, created_at), clock_timestamp()
           FROM shipment WHERE id = %s ON CONFLICT DO NOTHING""",
        [news, learnt_at, shipment_id],
    )


async def told_in(tx: Tx, since: datetime) -> dict[str, Any]:
    """Seconds from carriers' news to channels since then: count, p50, p95."""
    row = await tx.one(
        """SELECT count(*)::int AS count,
                  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM told_at - learnt_at)) AS p50,
                  percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM told_at - learnt_at)) AS p95
           FROM news_log WHERE told_at >= %s""",
        [since],
    )
    return row or {"count": 0, "p50": None, "p95": None}
