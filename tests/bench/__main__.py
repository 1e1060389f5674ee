"""`python -m tests.bench [--json] [--quick] [part ...]`: a table, and with --json the figures on standard output."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import audit, breadth, ingest, intake, meter, pages, sale
from tests.bench.stand import stand

WIDTH = 110  # of the table where nobody looks
PARTS = {
    "intake": intake.measure, "ingest": ingest.measure, "sale": sale.measure, "audit": audit.measure,
    "pages": pages.measure, "breadth": breadth.measure,
}  # fmt: skip
# (what, path in the figures, unit, target as (sign, number))
ROWS: tuple[tuple[str, str, str, tuple[str, float] | None], ...] = (
    ("Intake, CPU of the web process", "intake.closed_loop.hub.median", "s per 1,000", None),
    ("  the same handler storing nothing", "intake.closed_loop.reader.median", "s per 1,000", None),
    ("  ratio: what durability costs", "intake.closed_loop.ratio_over_reader.median", "x", ("<=", 2.0)),
    ("  a bare handler: reads, answers 200", "intake.closed_loop.baseline.median", "s per 1,000", None),
    ("  ratio over the bare one", "intake.closed_loop.ratio.median", "x", None),
    ("  PostgreSQL beside it", "intake.closed_loop.postgresql.median", "s per 1,000", None),
    ("  webhooks a second", "intake.closed_loop.hub_per_second", "/s", None),
    ("Intake at 300/s, lost", "intake.open_loop.hub.lost", "webhooks", ("<=", 0)),
    ("  answer p50", "intake.open_loop.hub.p50_ms", "ms", None),
    ("  answer p99", "intake.open_loop.hub.p99_ms", "ms", ("<=", 50.0)),
    ("  answer p99, the baseline", "intake.open_loop.baseline.p99_ms", "ms", None),
    ("Ingest of fat orders (WooCommerce)", "ingest.woocommerce_fat.median", "/s per worker", None),
    ("Ingest with fetching (Mercado Livre)", "ingest.mercadolivre_fetched.median", "/s per worker", None),
    ("Sale to push, one at a time, p50", "sale.idle.p50_ms", "ms", None),
    ("  p99", "sale.idle.p99_ms", "ms", None),
    ("Sale to push at 5/s, p50", "sale.under_load.p50_ms", "ms", None),
    ("  p99", "sale.under_load.p99_ms", "ms", None),
    ("Audit of one account's listings", "audit.listings", "listings", None),
    ("  pages requested", "audit.audit.pages_requested", "requests", None),
    ("  the least possible", "audit.least_requests", "requests", None),
    ("  other requests (orders)", "audit.audit.other_requests", "requests", None),
    ("  busiest 10 s", "audit.audit.busiest_per_second", "/s", ("<=", 22.0)),
    ("  time", "audit.audit.seconds", "s", None),
    ("  CPU of the worker", "audit.audit.cpu_per_1000", "s per 1,000", None),
    ("  PostgreSQL beside it", "audit.audit.postgresql_cpu_per_1000", "s per 1,000", None),
    ("  RSS, first quarter", "audit.audit.rss_first_quarter_mib", "MiB", None),
    ("  RSS, last quarter", "audit.audit.rss_last_quarter_mib", "MiB", None),
    ("Pages with many orders over few, the worst", "pages.worst_ratio", "x", ("<=", pages.LIMIT)),
    ("  the median page", "pages.median_ratio", "x", None),
    ("  pages that read a big table whole", "pages.read_whole", "pages", ("<=", 0)),
    ("Pages with a broad shelf, the slowest", "breadth.slowest_ms", "ms p50", None),
    ("  the median page, over a narrow shelf", "breadth.median_ratio", "x", None),
    ("  numbers of one SKU at eight channels", "breadth.one_sku_ms", "ms", None),
    ("  a rule for a channel, looked at", "breadth.rule_looked_s", "s", None),
    ("  the same, kept", "breadth.rule_kept_s", "s", None),
)


async def _measured(parts: list[str], *, quick: bool, out: Console) -> dict[str, Any]:
    with stand() as at:
        told: dict[str, Any] = {"machine": meter.machine(at.server_version()), "quick": quick}
        for name in parts:
            told[name] = await PARTS[name](at, quick=quick, say=lambda line: out.print(line, style="dim"))
    return told


def _looked_up(told: dict[str, Any], path: str) -> Any:
    found: Any = told
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _rows(told: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for label, path, unit, target in ROWS:
        value = _looked_up(told, path)
        if value is None:
            continue
        verdict = ""
        if target:
            verdict = f"target {target[0]} {target[1]:g}: " + (
                "[green]met[/]" if value <= target[1] else "[red]missed[/]"
            )
        shown = " → ".join(f"{each:,}" for each in value) if isinstance(value, list) else f"{value:,}"
        yield label, shown, unit, verdict


def _table(told: dict[str, Any]) -> Table:
    facts = told["machine"]
    head = f"{facts['cores']} x {facts['cpu']}, load {facts['load_before']} before, PostgreSQL {facts['postgresql']}"
    table = Table(title=head, title_justify="left")
    for name in ("", "measured", "unit", ""):
        table.add_column(name, justify="right" if name == "measured" else "left", no_wrap=True)
    for row in _rows(told):
        table.add_row(*row)
    for part, of in (("pages", "orders"), ("breadth", "skus")):
        for row in pages.table(told[part], of) if part in told else ():
            table.add_row(*row)
    return table


def _missed(told: dict[str, Any]) -> list[str]:
    """The targets of pages that were not met; those of other parts follow the machine's load and are shown alone."""
    measured = {
        label: (_looked_up(told, path), target) for label, path, _unit, target in ROWS if path.startswith("pages.")
    }
    return [
        f"{label.strip()}: {value}, target {target[0]} {target[1]:g}"
        for label, (value, target) in measured.items()
        if value is not None and target and value > target[1]
    ]


def main() -> None:
    """Measure the parts asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output, the table on error")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and coarser")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    stream = sys.stderr if asked.json else sys.stdout
    out = Console(file=stream, width=None if stream.isatty() else WIDTH)
    told = asyncio.run(_measured(asked.parts or list(PARTS), quick=asked.quick, out=out))
    out.print(_table(told))
    if asked.json:
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    if missed := _missed(told):
        sys.exit("; ".join(missed))


if __name__ == "__main__":
    main()
