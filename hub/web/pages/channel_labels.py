"""Etiquetas: those that channels issue for parcels that travel by them, chosen and printed together."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from aiohttp import web

from hub.labels import Layout
from hub.store import channel_labels, labels
from hub.web import label_words
from hub.web.edge import Visit
from hub.web.i18n import N_
from hub.web.pages import labels as bought
from hub.web.pages.keyset import SIZE, part, place_asked
from jobs.channel_labels import issuers

QUEUE = "channel"


async def every(visit: Visit) -> web.Response:
    """The queue asked for."""
    return await _queue(visit) if visit.asked("fila") == QUEUE else await bought.every(visit)


async def _queue(visit: Visit) -> web.Response:
    """Parcels that their channels send, the most urgent first."""
    unprinted = visit.asked("impressas") == "nao"
    issuing = issuers()
    async with visit.tx() as tx:
        rows = await channel_labels.queue(
            tx, issuing, unprinted=unprinted, after=place_asked(visit), limit=SIZE + 1
        )  # fmt: skip
        page = part(visit, rows, "due")
        known = await channel_labels.of_orders(tx, issuing, [row["id"] for row in page.rows])
    parcels: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for label in known:
        parcels[label["of_order"]].append(label)
    shown = [{**row, "labels": parcels[row["id"]]} for row in page.rows]
    return visit.render(
        "labels_channel.html", part=page, rows=shown, queue=QUEUE, unprinted=unprinted, label_words=label_words
    )


async def print_(visit: Visit) -> web.Response:
    """The channels' labels of the chosen orders, to be printed together in the order shown; a pack's once."""
    chosen = bought.ids_of(visit, "o:")
    if not bought.few(visit, chosen):
        return visit.go(bought.home(visit))
    async with visit.tx() as tx:
        known = await channel_labels.of_orders(tx, issuers(), chosen)
        if not known:
            visit.say("bad", N_("Nenhum dos pedidos escolhidos espera por etiqueta do canal."))
            return visit.go(bought.home(visit))
        layout = Layout.A4 if visit.form.get("layout") == Layout.A4 else Layout.SMALL
        made = await labels.print_add(tx, [label["id"] for label in known], layout)
    return visit.go(f"{bought.HOME}/impressao/{made}")
