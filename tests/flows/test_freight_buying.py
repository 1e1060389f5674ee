"""Labels are bought once each: by two people at once, after a lost answer, after a death between two steps."""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from aiohttp import web
from pypdf import PdfReader

from hub.freight import Rule
from hub.labels import Layout
from hub.parse import SAO_PAULO
from hub.store import freight
from jobs import freight_buy, freight_labels, freight_leave, sweep
from jobs.freight import FreightRefused
from tests.flows.freighting import BUY, KEY, SENDER, buy, invoiced, lapse, policy, seller, sold
from tests.flows.test_shipments import scan, told
from tests.world import Channel, World, hang_up, world


def preposts(carrier: Channel) -> list[Any]:
    """What Correios has sold, cancelled ones too."""
    return [one for ref, one in vars(carrier.sandbox)["preposts"].items() if ref == one.id]


@contextmanager
def purchases(
    carrier: Channel, wrap: Callable[[Any], Any], path: str = BUY.partition(" ")[2]
) -> Iterator[None]:  # fmt: skip
    """What a carrier (Correios) does when it is asked to sell, changed meanwhile."""
    (route,) = [
        each for each in carrier.sandbox.app.router.routes()
        if each.method == "POST" and each.resource and each.resource.canonical == path
    ]  # fmt: skip
    handler: Any = route._handler
    route._handler = wrap(handler)
    try:
        yield
    finally:
        route._handler = handler


@contextmanager
def unanswered(carrier: Channel, *, arrives: bool) -> Iterator[list[int]]:
    """The purchase's answer is lost: after it was carried out, or before it arrived."""
    seen: list[int] = []

    def wrap(handler: Any) -> Any:
        async def lost(request: web.Request) -> web.StreamResponse:
            seen.append(1)
            answer: web.StreamResponse = await handler(request) if arrives else web.Response()
            await hang_up(request)
            return answer

        return lost

    with purchases(carrier, wrap):
        yield seen


async def test_a_label_is_bought_by_the_policys_rule_and_its_parcel_followed() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        bought = await buy(w, order)
        (label,) = bought.labels
        assert (label["status"], label["service"], label["volume"]) == ("bought", "03298", 1)
        assert label["tracking_code"]
        assert label["quoted_cents"] > 0
        (posting,) = preposts(carrier)
        assert posting.told["observacao"] == label["reference"]
        assert posting.told["destinatario"]["endereco"]["cep"] == "13010000"
        assert posting.told["itensDeclaracaoConteudo"] == [
            {"conteudo": "Caneca de porcelana", "quantidade": "2", "valor": "39.90"}
        ]
        parcel = await w.row("SELECT tracking_code, status, carrier_account_id, news_due_at FROM shipment")
        assert parcel["tracking_code"] == label["tracking_code"]
        assert (parcel["status"], parcel["carrier_account_id"]) == ("label_created", carrier.account.id)
        await w.settle()
        assert told(store) == {}, "a channel is not told that it left because a label was bought"

        again = await buy(w, order)
        assert again.again
        assert [one["id"] for one in again.labels] == [label["id"]]
        assert len(preposts(carrier)) == 1
        await carrier.act("post", code=label["tracking_code"])
        await scan(w, carrier, label["tracking_code"])
        assert (await w.row("SELECT news_told FROM shipment"))["news_told"][0] == "dispatched"


async def test_two_people_at_once_buy_one_label() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        came = await asyncio.gather(*(buy(w, order) for _ in range(4)), return_exceptions=True)
        bought = [one for one in came if isinstance(one, freight_buy.Bought)]
        refused = [one for one in came if isinstance(one, FreightRefused)]
        assert len(bought) + len(refused) == 4
        assert {one.kind for one in refused} <= {"busy"}
        assert sum(not one.again for one in bought) == 1
        assert len(preposts(carrier)) == 1


async def test_a_purchase_whose_answer_was_lost_is_looked_up_and_not_bought_again() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        with unanswered(carrier, arrives=True) as seen:
            (label,) = (await buy(w, order)).labels
        assert seen == [1], "a purchase is not repeated by itself"
        assert label["status"] == "buying"
        with pytest.raises(FreightRefused, match="under way, or in doubt"):
            await buy(w, order)
        await lapse(w)
        assert await freight_buy.settle_left(w.rt) == 1
        (known,) = (await buy(w, order)).labels
        (posting,) = preposts(carrier)
        assert (known["status"], known["tracking_code"]) == ("bought", posting.code)
        assert await freight_buy.settle_left(w.rt) == 0


async def test_a_purchase_that_never_arrived_is_bought_once() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        with unanswered(carrier, arrives=False):
            (label,) = (await buy(w, order)).labels
        assert (label["status"], preposts(carrier)) == ("buying", [])
        await lapse(w)
        (known,) = (await buy(w, order)).labels
        (posting,) = preposts(carrier)
        assert (known["status"], known["tracking_code"]) == ("bought", posting.code)
        assert posting.told["observacao"] == label["reference"] == known["reference"]


async def test_where_a_carrier_cannot_be_asked_a_person_says_what_became_of_it() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        with unanswered(carrier, arrives=True):
            (label,) = (await buy(w, order)).labels
        await lapse(w)
        with deaf(w), pytest.raises(FreightRefused, match="nobody knows whether label"):
            await buy(w, order)
        assert await w.alerts() == ["label_doubt"]
        (posting,) = preposts(carrier)
        await freight_buy.resolve(w.rt, w.seller_id, label["id"], ref=posting.id, tracking_code=posting.code)
        (known,) = (await buy(w, order)).labels
        assert (known["status"], known["tracking_code"]) == ("bought", posting.code)
        assert await w.alerts() == []
        assert len(await w.rows("SELECT 1 FROM shipment")) == 1
        with pytest.raises(FreightRefused, match="not in doubt"):
            await freight_buy.resolve(w.rt, w.seller_id, label["id"])


@contextmanager
def deaf(w: World) -> Iterator[None]:
    """Correios as a carrier that cannot look a purchase up by its reference."""
    adapter = w.rt.adapter("correios")
    assert adapter.freight
    without = replace(adapter, freight=replace(adapter.freight, find=None))
    with patch("adapters.get", lambda name: without if name == "correios" else adapter):
        yield


async def test_what_a_carrier_refuses_is_said_and_can_be_bought_anew() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)

        async def refuse(_request: web.Request) -> web.StreamResponse:
            return web.json_response({"msgs": ["Cartão de postagem vencido."]}, status=400)

        with purchases(carrier, lambda _handler: refuse):
            (label,) = (await buy(w, order)).labels
        assert (label["status"], label["error"]) == ("refused", "Cartão de postagem vencido.")
        assert await w.rows("SELECT 1 FROM shipment") == []
        (label,) = (await buy(w, order)).labels
        assert label["status"] == "bought"
        assert len(preposts(carrier)) == 1


async def test_documents_are_checked_before_anything_is_bought() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        await policy(w, sender={**SENDER, "document": "11222333000181"})
        with pytest.raises(FreightRefused, match="no NF-e: wait for it"):
            await buy(w, order)
        await invoiced(w, order, KEY[:-1] + str((int(KEY[-1]) + 1) % 10))
        with pytest.raises(FreightRefused, match="mistyped"):
            await buy(w, order)
        assert await w.rows("SELECT 1 FROM freight_label") == []
        assert preposts(carrier) == []
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE invoice SET key = %s", [KEY])
        await buy(w, order)
        (posting,) = preposts(carrier)
        assert posting.told["chaveNFe"] == KEY
        assert "itensDeclaracaoConteudo" not in posting.told


async def test_every_volume_has_its_label_and_none_two() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        await policy(w, most_g=1_000)
        order = await sold(w, store, "LIVRO", 3)
        bought = await buy(w, order, rule=Rule.FASTEST)
        assert [(one["volume"], one["volumes"], one["service"]) for one in bought.labels] == [
            (1, 3, "03220"), (2, 3, "03220"), (3, 3, "03220"),
        ]  # fmt: skip
        assert len({one["tracking_code"] for one in bought.labels}) == 3
        assert len(await w.rows("SELECT 1 FROM shipment")) == 3
        assert len(preposts(carrier)) == 3
        async with w.rt.db.seller(w.seller_id) as tx:
            with pytest.raises(psycopg.errors.UniqueViolation, match="freight_label_parcel"):
                await tx.run(
                    """INSERT INTO freight_label
                         (seller_id, id, order_id, account_id, volume, volumes, reference, service, posting)
                       SELECT seller_id, gen_random_uuid(), order_id, account_id, 1, 3, 'x', service, posting
                       FROM freight_label LIMIT 1"""
                )


async def test_a_volume_that_was_refused_is_bought_with_the_way_of_the_others() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        await policy(w, most_g=1_000)
        order = await sold(w, store, "LIVRO", 3)
        seen: list[int] = []

        def wrap(handler: Any) -> Any:
            async def second_is_refused(request: web.Request) -> web.StreamResponse:
                seen.append(1)
                if len(seen) == 2:
                    return web.json_response({"msgs": ["Limite diário do cartão."]}, status=400)
                answer: web.StreamResponse = await handler(request)
                return answer

            return second_is_refused

        with purchases(carrier, wrap):
            labels = (await buy(w, order, rule=Rule.FASTEST)).labels
        assert [one["status"] for one in labels] == ["bought", "refused", "bought"]
        assert sum(one["quoted_cents"] for one in labels) == (await w.row(
            "SELECT price_cents FROM freight_offer WHERE service = '03220'"))["price_cents"]  # fmt: skip
        async with w.rt.db.seller(w.seller_id) as tx:
            assert [row["id"] for row in await freight.queue(tx, "to_buy", {})] == [order]
        await policy(w, most_g=2_000)
        with pytest.raises(FreightRefused, match="for 3 volumes, and now there would be 2"):
            await buy(w, order)
        await policy(w, most_g=1_000)
        bought = await buy(w, order)
        assert [(one["volume"], one["status"], one["service"]) for one in bought.labels] == [
            (1, "bought", "03220"), (3, "bought", "03220"), (2, "bought", "03220"),
        ]  # fmt: skip
        assert len(preposts(carrier)) == 3
        assert (await buy(w, order)).again
        async with w.rt.db.seller(w.seller_id) as tx:
            assert await freight.queue(tx, "to_buy", {}) == []


async def test_labels_come_as_one_file_and_what_fails_is_named() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        ids, codes = [], []
        for _ in range(5):
            (label,) = (await buy(w, await sold(w, store, "CANECA", 1))).labels
            ids.append(label["id"])
            codes.append(label["tracking_code"])
        broken = vars(carrier.sandbox)["preposts"][codes[2]]
        broken.status = 5  # cancelled at the counter: its label is refused
        steps: list[int] = []
        file = await freight_labels.printed(w.rt, w.seller_id, ids, Layout.SMALL, step=steps.append)
        assert steps == [1, 2, 3, 4, 5]
        assert file.pdf is not None
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(file.pdf)).pages]
        assert [code for page in pages for code in codes if code in page] == [*codes[:2], *codes[3:]]
        assert list(file.failures) == [ids[2]]
        assert "não está pré-postada" in file.named()[0]

        asked = carrier.calls()["POST /prepostagem/v1/prepostagens/rotulo/assincrono/pdf"]
        kept = await w.row("SELECT pdf FROM freight_label WHERE id = %s", ids[0])
        assert b"%PDF" not in kept["pdf"]
        a4 = await freight_labels.printed(w.rt, w.seller_id, [ids[0], ids[1]], Layout.A4)
        assert a4.pdf is not None
        assert len(PdfReader(io.BytesIO(a4.pdf)).pages) == 1
        assert carrier.calls()["POST /prepostagem/v1/prepostagens/rotulo/assincrono/pdf"] == asked

        async with w.rt.db.seller(w.seller_id) as tx:  # as a carrier gave it with the purchase: no PDF at all
            await tx.run(
                "UPDATE freight_label SET pdf = %s WHERE id = %s",
                [freight_labels.sealed(w.rt, b"<html>erro</html>"), ids[1]],
            )
        rest = await freight_labels.printed(w.rt, w.seller_id, [ids[0], ids[1], ids[3]], Layout.SMALL)
        assert rest.pdf is not None
        assert len(PdfReader(io.BytesIO(rest.pdf)).pages) == 2
        assert list(rest.failures) == [ids[1]]

        async with w.rt.db.seller(w.seller_id) as tx:  # sealed under a key that is gone
            await tx.run("UPDATE freight_label SET pdf = 'gone' WHERE id = %s", [ids[0]])
        again = await freight_labels.printed(w.rt, w.seller_id, [ids[0]], Layout.SMALL)
        assert again.failures == {}
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE freight_label SET pdf_at = now() - interval '31 days' WHERE id = %s", [ids[0]])
        await freight_labels.prune(w.rt)
        assert [row["id"] for row in await w.rows("SELECT id FROM freight_label WHERE pdf IS NULL")] == [ids[0], ids[2]]


async def test_a_signed_manifest_tells_the_channel_that_its_parcels_left() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        labels = [(await buy(w, await sold(w, store, "CANECA", 1))).labels[0] for _ in range(3)]
        taken = [labels[0]["id"], labels[2]["id"]]
        with pytest.raises(FreightRefused, match="name of who took"):
            await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, taken, "  ")
        signed = await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, taken, "João da Coleta")
        assert (signed.number, signed.parcels) == (1, 2)
        await w.settle()
        told_ = {row["tracking_code"]: row["news_told"] for row in await w.rows("SELECT * FROM shipment")}
        assert [told_[label["tracking_code"]] for label in labels] == [["dispatched"], [], ["dispatched"]]
        row = await w.row("SELECT day, signed_name, signed_by FROM freight_manifest")
        assert row["day"] == w.rt.now().astimezone(SAO_PAULO).date()
        assert row["signed_name"] == "João da Coleta"
        with pytest.raises(FreightRefused, match="left with a manifest"):
            await freight_leave.cancel(w.rt, w.seller_id, labels[0]["id"])
        rest = await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, None, "Maria")
        assert (rest.number, rest.parcels) == (2, 1)
        with pytest.raises(FreightRefused, match="none of the labels"):
            await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, None, "Maria")


async def test_a_cancelled_orders_parcel_leaves_only_where_it_is_chosen() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        labels = [(await buy(w, await sold(w, store, "CANECA", 1))).labels[0] for _ in range(2)]
        async with w.rt.db.seller(w.seller_id) as tx:
            await tx.run("UPDATE orders SET status = 'cancelled' WHERE id = %s", [labels[0]["order_id"]])
        signed = await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, None, "João")
        assert signed.parcels == 1
        left = await w.row("SELECT id FROM freight_label WHERE manifest_id IS NOT NULL")
        assert left["id"] == labels[1]["id"]
        chosen = await freight_leave.sign(w.rt, w.seller_id, carrier.account.id, [labels[0]["id"]], "João")
        assert chosen.parcels == 1


async def test_the_sweep_settles_what_a_death_left_behind() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        with unanswered(carrier, arrives=True):
            await buy(w, order)
        await lapse(w)
        stop = asyncio.Event()
        sweeping = asyncio.create_task(sweep.run(w.rt, w.pulse, stop))
        try:
            await w.until("SELECT 1 FROM freight_label WHERE status = 'bought'")
        finally:
            stop.set()
            await sweeping
        assert len(preposts(carrier)) == 1


@pytest.mark.slow
async def test_a_hundred_labels_come_at_once_in_their_order() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        gateway = vars(carrier.sandbox)["limit"]
        gateway.rate = gateway.burst = gateway.left = 1e6  # this world has no limits of ours that would keep to its own
        for _ in range(100):
            await store.buy("CANECA", 1)
        await w.settle(60)
        rows = await w.rows("SELECT id FROM orders ORDER BY ref::int")
        ids, codes = [], []
        for row in rows:
            (label,) = (await buy(w, row["id"])).labels
            ids.append(label["id"])
            codes.append(label["tracking_code"])
        assert len(preposts(carrier)) == len(set(codes)) == 100
        steps: list[int] = []
        file = await freight_labels.printed(w.rt, w.seller_id, ids, Layout.A4, step=steps.append)
        assert steps == list(range(1, 101))
        assert file.failures == {}
        assert file.pdf is not None
        sheets = PdfReader(io.BytesIO(file.pdf)).pages
        text = "\n".join(page.extract_text() for page in sheets)
        assert len(sheets) == 25
        assert sorted(codes, key=text.index) == codes


async def test_a_cancelled_label_is_told_to_its_carrier_and_another_can_be_bought() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        order = await sold(w, store)
        (label,) = (await buy(w, order)).labels
        assert await freight_leave.cancel(w.rt, w.seller_id, label["id"]) == []
        (posting,) = preposts(carrier)
        assert posting.status == 5
        parcel = await w.row("SELECT status, track_due_at, news_due_at FROM shipment")
        assert parcel == {"status": "cancelled", "track_due_at": None, "news_due_at": None}
        await w.settle()
        assert told(store) == {}
        (other,) = (await buy(w, order)).labels
        assert other["tracking_code"] != label["tracking_code"]
        assert [one.status for one in preposts(carrier)] == [5, 2]
        await carrier.act("post", code=other["tracking_code"])
        await scan(w, carrier, other["tracking_code"])
        with pytest.raises(FreightRefused, match="is with its carrier already"):
            await freight_leave.cancel(w.rt, w.seller_id, other["id"])


async def test_a_cancellation_whose_answer_was_lost_is_brought_to_its_end() -> None:
    async with world() as w:
        store, carrier = await seller(w)
        (label,) = (await buy(w, await sold(w, store))).labels
        carrier.turn(hang=1.0, hang_seconds=0.01)
        with pytest.raises(FreightRefused):
            await freight_leave.cancel(w.rt, w.seller_id, label["id"])
        carrier.turn(hang=0.0)
        assert (await w.row("SELECT status FROM freight_label"))["status"] == "cancelling"
        assert preposts(carrier)[0].status == 5
        await lapse(w)
        assert await freight_buy.settle_left(w.rt) == 1
        assert (await w.row("SELECT status FROM freight_label"))["status"] == "cancelled"
