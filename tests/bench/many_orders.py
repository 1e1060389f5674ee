"""Years of orders made in SQL: lines, parcels, scans, movements, documents and alerts, as the flows leave them.

The seller's shelf and the last nine days are the same however many orders there are, so that the same page shows as
much; what grows is everything that was before, where every order is over. Another shelf is wider, at more channels.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the seller has to sell: SKUs, accounts (a carrier and one in preview among them), and who lists the SKUs."""

    skus: int = 2_000
    accounts: int = 6
    listed: tuple[str, ...] = ("Loja própria", "Mercado Livre")


EVERYWHERE = (
    "Loja própria", "Mercado Livre", "Shopee", "Magalu", "VTEX", "Amazon", "Nuvemshop", "Shopify",
)  # fmt: skip
DAYS = 730  # over which the others are spread evenly
LATELY = 5_400  # orders of the last nine days
BATCH = 50_000
DEEDS = 250  # of people, to begin with: one more for every thousand orders
HERE = Path(__file__).parent


def _statements() -> dict[str, list[str]]:
    """The statements of each section."""
    found = {}
    for name in ("many_orders.sql", "back_office.sql"):
        for section in re.split(r"^-- == ", (HERE / name).read_text(), flags=re.MULTILINE)[1:]:
            title, _, body = section.partition("\n")
            found[title.partition(":")[0]] = [each for each in body.split(";\n") if each.strip()]
    return found


def fill(url: str, count: int, sealed: bytes, say: Callable[[str], None], shelf: Shelf = Shelf()) -> None:
    """So many orders for the one seller of a database, whose owner `url` signs in as; `sealed`: what accounts know."""
    sections = _statements()
    with psycopg.connect(url, autocommit=True) as conn:
        found = conn.execute(
            "SELECT w.seller_id, w.id, m.user_id::text FROM warehouse w JOIN membership m USING (seller_id)"
        ).fetchone()
        if found is None:
            raise RuntimeError("the seller has no warehouse, or nobody who works there")
        conn.execute("SET synchronous_commit = off")
        # No row-level triggers or references while rows are made that hold to them: what triggers keep is written here.
        conn.execute("SET session_replication_role = replica")
        told = {
            "seller": found[0],
            "warehouse": found[1],
            "user": found[2],
            "deeds": DEEDS + count // 1000,
            "count": count,
            "days": DAYS,
            "lately": LATELY,
            "sealed": sealed,
            "skus": shelf.skus,
            "accounts": shelf.accounts,
            "listed": list(shelf.listed),
            "shops": shelf.accounts - 2,
        }
        _run(conn, sections["shelf"], told)
        for first in range(1, count + 1, BATCH):
            last = min(first + BATCH - 1, count)
            _run(conn, sections["orders"], {**told, "first": first, "last": last})
            if count > BATCH:
                say(f"pages: {last:,} of {count:,} orders made")
        _run(conn, sections["deeds"], told)
        _run(conn, sections["ended"], told)
        conn.execute("VACUUM ANALYZE")


def _run(conn: psycopg.Connection, statements: list[str], told: Mapping[str, Any]) -> None:
    for statement in statements:
        given = told if "%(" in statement or "%%" in statement else None
        try:
            conn.execute(statement, given)
        except psycopg.Error as problem:
            raise RuntimeError(f"{' '.join(statement.split())[:160]}: {problem}") from problem
