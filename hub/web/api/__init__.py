"""The REST API, version 1: its operations, and the routes and the document that come out of them."""

from collections import defaultdict

from aiohttp import web

from hub.web.api import (
    accounts,
    alerts,
    approvals,
    audit,
    buffers,
    channel_labels,
    connecting,
    counts,
    docs,
    edge,
    events,
    freight,
    handling,
    health,
    imports,
    kits,
    letters,
    listing_deeds,
    listings,
    manifests,
    notices,
    orders,
    people,
    policies,
    processes,
    purchases,
    replenishment,
    returns,
    shipments,
    skus,
    stock,
    stranded,
    suppliers,
    transfers,
    warehouses,
)
from hub.web.api.operations import BASE, Operation
from hub.web.edge import page

# Where a program or the reader finds what; each module lists its own.
OPERATIONS: tuple[Operation, ...] = (
    *events.OPERATIONS,
    *orders.OPERATIONS,
    *handling.OPERATIONS,
    *listings.OPERATIONS,
    *listing_deeds.OPERATIONS,
    *accounts.OPERATIONS,
    *connecting.OPERATIONS,
    *stranded.OPERATIONS,
    *approvals.OPERATIONS,
    *skus.OPERATIONS,
    *stock.OPERATIONS,
    *buffers.OPERATIONS,
    *warehouses.OPERATIONS,
    *shipments.OPERATIONS,
    *health.OPERATIONS,
    *kits.OPERATIONS,
    *transfers.OPERATIONS,
    *counts.OPERATIONS,
    *freight.OPERATIONS,
    *manifests.OPERATIONS,
    *channel_labels.OPERATIONS,
    *suppliers.OPERATIONS,
    *purchases.OPERATIONS,
    *returns.OPERATIONS,
    *alerts.OPERATIONS,
    *letters.OPERATIONS,
    *people.OPERATIONS,
    *audit.OPERATIONS,
    *policies.OPERATIONS,
    *processes.OPERATIONS,
    *notices.OPERATIONS,
    *replenishment.OPERATIONS,
    *imports.OPERATIONS,
)  # fmt: skip
# Parameters that may hold a slash, which a path then tells apart by what stands behind them.
LOOSE = ("{code}",)


def paths() -> dict[str, dict[str, Operation]]:
    """The operations by path and method."""
    found: dict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        if operation.method in found[operation.path]:
            raise ValueError(f"two operations answer {operation.method} {operation.path}")
        found[operation.path][operation.method] = operation
    return dict(found)


def setup(app: web.Application) -> None:
    """Add the API to the application, before the pages: they answer every other address."""
    app[docs.DOCUMENTS] = docs.Documents(OPERATIONS)
    app.router.add_get(f"{BASE}/openapi.json", docs.document)
    app.router.add_get("/api/docs", page(docs.show, None))
    # What says more comes first: a code may hold slashes, so that /skus/{code} answers whatever is left.
    for path, operations in sorted(paths().items(), key=lambda each: (each[0].endswith("}"), -each[0].count("/"))):
        route = path
        for name in LOOSE:
            route = route.replace(name, name.replace("}", ":.+}"))
        app.router.add_route("*", BASE + route, edge.answered(operations))
    app.router.add_route("*", "/api/{anything:.*}", edge.nowhere)
