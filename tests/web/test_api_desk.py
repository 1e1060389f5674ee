"""The back office over the REST API, asked by the typed client: buying, counts, transfers, kits, alerts, letters."""

import ast
import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

import hub.client
from hub.client import ApiError, Client, NoAnswer
from hub.sandbox import Product
from hub.store import alerts, new_id
from hub.web.api import OPERATIONS, client, counts, kits, letters, orders, purchases, suppliers, transfers
from hub.web.api import alerts as alerts_api
from hub.web.scopes import SCOPES
from tests.web.site import Site, site
from tests.web.test_api import key

T = TypeVar("T")
CANECA = Product(sku="CANECA/AZUL", title="Caneca azul", quantity=9, price_cents=3990)


async def asking(s: Site, work: Callable[[Client], T], *scopes: str) -> T:
    """What a program that has a key hears; it waits in a thread of its own."""
    told = await key(s, *(scopes or SCOPES))

    def run() -> T:
        with Client(s.base, told, language="en") as client:
            return work(client)

    return await asyncio.to_thread(run)


def lines(**units: int) -> list[Any]:
    return [purchases.AskedLine(sku=sku, quantity=count) for sku, count in units.items()]


async def test_from_a_supplier_to_what_came_once() -> None:
    def work(client: Client) -> tuple[purchases.Purchase, purchases.PurchaseReceived, purchases.PurchaseReceived]:
        vale = client.add_supplier(suppliers.NewSupplier(name="Porcelanas do Vale", lead_time_days=12))
        assert [each.name for each in client.list_suppliers()] == ["Porcelanas do Vale"]
        assert client.change_supplier(vale.id, suppliers.SupplierChange(lead_time_days=9)).lead_time_days == 9
        made = client.add_purchase(purchases.NewPurchase(supplier=vale.name, lines=lines(PRATO=5)))
        assert (made.order.status, made.order.units, made.lines[0].sku) == ("draft", 5, "PRATO")
        client.put_purchase_lines(made.order.id, purchases.Lines(lines=lines(PRATO=8)))
        client.send_purchase(made.order.id, purchases.Sent())
        came = purchases.Arrived(ref="NF 1", lines=lines(PRATO=8))
        first, again = client.receive_purchase(made.order.id, came), client.receive_purchase(made.order.id, came)
        with pytest.raises(ApiError) as refusal:
            client.cancel_purchase(made.order.id)
        assert refusal.value.status == 409
        with pytest.raises(ApiError) as missing:
            client.get_purchase(uuid.uuid4())
        assert missing.value.status == 404
        assert [each.id for each in client.list_purchases(purchases.PurchaseQuery(status="received", limit=1))] == [
            made.order.id
        ]
        return client.get_purchase(made.order.id), first, again

    async with site() as s:
        await s.w.open_stock(PRATO=2)
        whole, first, again = await asking(s, work)
        assert (first.units, first.again, again.again) == (8, False, True)
        assert (whole.order.status, whole.lines[0].missing, whole.receipts[0].ref) == ("received", 0, "NF 1")
        (level,) = await s.w.rows("SELECT on_hand FROM stock_level")
        assert level["on_hand"] == 10


TWICE: tuple[tuple[str, str, str, dict[str, str]], ...] = (  # method, path, field, what else it asks
    ("POST", "/purchases", "lines", {"supplier": "Vale"}),
    ("POST", "/transfers", "lines", {"from_warehouse": "principal", "to_warehouse": "loja"}),
    ("POST", "/counts/1/entries", "lines", {}),
    ("PUT", "/skus/PAR/kit", "components", {}),
)


async def test_a_sku_named_twice_is_refused_by_its_field() -> None:
    async with site() as s:
        headers = {"Authorization": f"Bearer {await key(s, *SCOPES)}"}
        session = s.reader().session
        for method, path, field, more in TWICE:
            body = {**more, field: [{"sku": "PRATO", "quantity": 1}, {"sku": "PRATO", "quantity": 2}]}
            async with session.request(method, f"{s.base}/api/v1{path}", json=body, headers=headers) as answer:
                told = await answer.json(content_type=None)
            assert answer.status == 422, (path, told)
            assert told["errors"] == [{"field": field, "sentence": "Um SKU vem mais de uma vez."}]


async def test_a_count_a_transfer_and_a_kit() -> None:
    def work(client: Client) -> None:
        number = client.open_count(counts.NewCount(skus=["PRATO"], blind=True)).number
        noted = client.enter_count(number, counts.Entries(lines=[counts.Entry(sku="PRATO", quantity=7)]))
        assert [(line.units, line.book) for line in noted.lines] == [(7, None)]
        with pytest.raises(ApiError) as wrong:
            client.enter_count(number, counts.Entries(lines=[counts.Entry(sku="NADA", quantity=1)]))
        assert [each.field for each in wrong.value.problem.errors] == ["lines.0"]
        posted = client.post_count(number, counts.Posting(accept_big=True, accept_flagged=True))
        assert (posted.corrected, posted.more) == (1, 2)
        assert [(row.number, row.state) for row in client.list_counts()] == [(number, "posted")]
        assert (client.get_count(number).state, client.get_count(number).counted) == ("posted", 1)
        assert [(line.sku, line.variance) for line in client.list_count_lines(number)] == [("PRATO", 2)]

        moved = [transfers.Moved(sku="PRATO", quantity=3)]
        there = client.add_transfer(transfers.NewTransfer(from_warehouse="principal", to_warehouse="loja", lines=moved))
        client.send_transfer(there.number, transfers.Leaving())
        some = transfers.Arriving(lines=[transfers.Moved(sku="PRATO", quantity=2)])
        assert client.receive_transfer(there.number, some).lines[0].under_way == 1
        assert client.receive_transfer(there.number, transfers.Arriving()).status == "received"
        assert [row.from_warehouse for row in client.list_transfers()] == ["principal"]

        pair = kits.Recipe(components=[kits.AskedPart(sku="PRATO", quantity=2)])
        assert client.put_kit("PAR/2", pair).components[0].quantity == 2
        assert client.get_kit("PAR/2").components[0].sku == "PRATO"
        with pytest.raises(ApiError) as held:
            client.put_kit("PRATO", kits.Recipe(components=[kits.AskedPart(sku="PAR/2", quantity=1)]))
        assert held.value.status == 409
        assert client.drop_kit("PAR/2").orders == 0

    async with site() as s:
        await s.w.open_stock(PRATO=5)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            from hub.store import warehouses

            await warehouses.warehouse_add(tx, "loja", "Loja", rank=500)
        await asking(s, work)
        rows = await s.w.rows(
            "SELECT w.code, l.on_hand FROM stock_level l JOIN warehouse w ON w.id = l.warehouse_id "
            "WHERE w.kind = 'own' ORDER BY w.code"
        )
        assert [(row["code"], row["on_hand"]) for row in rows] == [("loja", 3), ("principal", 4)]


async def test_alerts_and_what_stands_still() -> None:
    def work(client: Client) -> letters.LettersReplayed:
        (alert,) = client.list_alerts()
        assert (alert.kind, alert.params["account"]) == ("slot_parked", "Loja da Ana")
        assert "1003" in alert.text
        told = client.note_alert(alert.id, alerts_api.AlertNote(note="Asked the channel."))
        assert told.history[0].kind == "noted"
        assert client.close_alert(alert.id, alerts_api.AlertNote(note="They answered.")).alert.note == "They answered."
        assert list(client.list_alerts()) == []
        assert list(client.list_orders(orders.Wanted(status="paid", limit=1))) == []
        assert [each.id for each in client.list_closed_alerts()] == [alert.id]
        assert client.reopen_alert(alert.id).alert.resolved_at is None
        (letter,) = client.list_letters(letters.LetterQuery(kind="inbox"))
        assert letter.reason == "transient 503"
        seen = client.preview_replay(letters.Replay(kind="inbox"))
        assert (seen.count, seen.by_reason[0].count) == (1, 1)
        return client.replay_letters(letters.Replay(kind="inbox", ids=[letter.id]))

    async with site() as s:
        store = await s.connect("woocommerce", [CANECA], name="Loja da Ana", seed=1)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.raise_(tx, "slot_parked", "x/1", account="Loja da Ana", ref="1003", detail="under_review")
            id_ = new_id()
            await tx.run(
                "INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, state, error, attempts) "
                "VALUES (%s, %s, %s, 'webhook', 'order', '99', %s, 'parked', 'transient 503: away', 1)",
                [tx.seller, id_, store.account.id, str(id_)],
            )
        done = await asking(s, work)
        assert (done.count, done.left) == (1, 0)


class Flaky(httpx.BaseTransport):
    """Answers in the order told: a status, or None for a connection that breaks. Remembers what was asked."""

    def __init__(self, *answers: int | None) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        status = self.answers.pop(0)
        if status is None:
            raise httpx.ConnectError("broken")
        problem = {"type": "t", "title": "t", "status": status, "detail": "d", "instance": "/"}
        good: dict[str, Any] = {"data": [], "next": None, "kit": "A", "components": [], "count": 1, "left": 0}
        headers = {"Retry-After": "0"} if status in (429, 503) else {}
        return httpx.Response(status, content=json.dumps(good if status == 200 else problem), headers=headers)


@contextmanager
def flaky(*answers: int | None) -> Iterator[tuple[Client, Flaky]]:
    transport = Flaky(*answers)
    with Client("https://hub.example", "k", transport=transport) as client:
        yield client, transport


def test_what_can_do_no_harm_is_asked_again_under_the_same_key() -> None:
    with flaky(503, 429, 200) as (client, there):
        assert list(client.list_suppliers()) == []
        assert len(there.asked) == 3
    with flaky(503, 200) as (client, there):
        assert client.replay_letters(letters.Replay(kind="inbox")).count == 1
        keys = {request.headers["Idempotency-Key"] for request in there.asked}
        assert (len(there.asked), len(keys)) == (2, 1)
    with flaky(503) as (client, there), pytest.raises(ApiError):  # a POST without a key
        client.preview_replay(letters.Replay(kind="inbox"))
    with flaky(409, 200) as (client, there), pytest.raises(ApiError):
        client.get_kit("A")
    with flaky(None) as (client, there), pytest.raises(NoAnswer):
        client.preview_replay(letters.Replay(kind="inbox"))


def test_the_client_has_every_operation_as_the_document_has_it() -> None:
    kept = Path(hub.client.__file__).with_name("calls.py").read_text()
    assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(client.written())), "run python -m hub.web.api.client"
    assert {each.name for each in OPERATIONS} <= set(dir(Client))
