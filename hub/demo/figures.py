"""What the demo shows while it runs and prints at its end."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

from rich.table import Table

from hub.store import tracking
from jobs.runtime import Runtime

PROPAGATION: LiteralString = """
    SELECT count(*)::int AS pushes, count(*) FILTER (WHERE outcome = 'accepted')::int AS accepted,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM answered_at - dirty_at)) AS p50,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM answered_at - dirty_at)) AS p99
    FROM push_log WHERE dirty_at >= %s"""
COUNTS: dict[str, LiteralString] = {
    "orders": "SELECT count(*)::int FROM orders",
    "shortages": "SELECT coalesce(sum(quantity), 0)::int FROM shortage",
    "parked": "SELECT count(*)::int FROM stock_slot WHERE parked_code IS NOT NULL",
    "inbox_due": "SELECT count(*)::int FROM inbox WHERE state = 'due'",
    "inbox_parked": "SELECT count(*)::int FROM inbox WHERE state = 'parked'",
    "slots_due": "SELECT count(*)::int FROM stock_slot WHERE due_at IS NOT NULL AND parked_code IS NULL",
    "tracked": "SELECT count(*)::int FROM shipment WHERE status IS NOT NULL AND source = 'hub'",
    "told": "SELECT coalesce(sum(cardinality(news_told)), 0)::int FROM shipment WHERE source = 'hub'",
}


async def gather(rt: Runtime, seller_id: UUID, since: Any) -> dict[str, Any]:
    """Counts, propagation and how soon channels heard carriers' news since then; times are milliseconds."""
    async with rt.db.seller(seller_id) as tx:
        told = {name: await tx.value(sql) for name, sql in COUNTS.items()}
        row = await tx.one(PROPAGATION, [since]) or {}
        heard = await tracking.told_in(tx, since)
    told["news_told"] = heard["count"]
    for name in ("p50", "p95"):
        told[f"news_{name}_ms"] = round(float(heard[name]) * 1000) if heard[name] is not None else None
    told["pushes"] = row.get("pushes", 0)
    for name in ("p50", "p99"):
        told[f"propagation_{name}_ms"] = round(float(row[name]) * 1000) if row.get(name) is not None else None
    return told


ROWS = (
    ("Vendas", "sales"), ("Cancelamentos", "cancelled"), ("Sem estoque no canal", "sold_out"),
    ("Despachos", "dispatched"), ("Postagens", "posted"), ("Entregas", "delivered"), ("Devoluções", "returned"),
    ("Pedidos no hub", "orders"), ("Envios de estoque", "pushes"), ("Propagação p50 (ms)", "propagation_p50_ms"),
    ("Propagação p99 (ms)", "propagation_p99_ms"), ("Da transportadora ao canal p50 (ms)", "news_p50_ms"),
    ("Da transportadora ao canal p95 (ms)", "news_p95_ms"), ("Faltas (unidades)", "shortages"),
    ("Caixa de entrada por fazer", "inbox_due"), ("Estoques por enviar", "slots_due"),
    ("Processos reiniciados", "restarts"),
)  # fmt: skip


def table(told: Mapping[str, Any], url: str, seconds: float) -> Table:
    """The live table."""
    shown = Table(title=f"Balcão · {url} · {seconds:.0f} s", title_justify="left", min_width=46)
    shown.add_column("", no_wrap=True)
    shown.add_column("", justify="right", no_wrap=True)
    for label, name in ROWS:
        value = told.get(name)
        shown.add_row(label, "–" if value is None else f"{value:,}".replace(",", "."))
    return shown
