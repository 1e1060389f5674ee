"""Jadlog's label comes with the purchase and never again: it is kept at once, or its loss is said."""

import base64
import io
import json
from typing import Any

import pytest
from aiohttp import web
from pypdf import PdfReader

from hub.labels import Layout
from jobs import freight_labels
from tests.flows.freighting import buy, seller, sold
from tests.flows.test_freight_buying import purchases
from tests.world import Channel, Log, World, world


async def bought(w: World, jadlog: Channel, store: Channel) -> dict[str, Any]:
    (label,) = (await buy(w, await sold(w, store), account_id=jadlog.account.id, service="3")).labels
    return label


async def test_it_is_kept_with_the_purchase_and_printed_without_asking() -> None:
    async with world() as w:
        store, _correios = await seller(w, jadlog=True)
        jadlog = w.channels[-1]
        label = await bought(w, jadlog, store)
        assert (label["status"], label["has_pdf"]) == ("bought", True)
        asked = sum(jadlog.calls().values())
        file = await freight_labels.printed(w.rt, w.seller_id, [label["id"]], Layout.SMALL)
        assert file.pdf is not None
        assert len(PdfReader(io.BytesIO(file.pdf)).pages) == 1
        assert sum(jadlog.calls().values()) == asked


async def test_a_label_that_came_broken_is_said_and_the_parcel_is_bought_all_the_same(log: Log) -> None:
    async with world() as w:
        store, _correios = await seller(w, jadlog=True)
        jadlog = w.channels[-1]
        path = next(
            each.resource.canonical
            for each in jadlog.sandbox.app.router.routes()
            if each.resource and each.resource.canonical.endswith("/pedido/incluir")
        )

        def wrap(handler: Any) -> Any:
            async def broken(request: web.Request) -> web.StreamResponse:
                told = json.loads((await handler(request)).body)
                told["etiqueta"]["arquivo"] = base64.b64encode(b"<html>erro</html>").decode()
                return web.json_response(told)

            return broken

        with purchases(jadlog, wrap, path):
            label = await bought(w, jadlog, store)
        assert (label["status"], label["has_pdf"]) == ("bought", False)
        assert log.named("label unreadable")
        file = await freight_labels.printed(w.rt, w.seller_id, [label["id"]], Layout.SMALL)
        assert file.pdf is None
        assert "print it at the carrier's own site" in file.named()[0]
        with pytest.raises(ValueError, match="label"):
            await freight_labels.drawable(b"<html>erro</html>")
