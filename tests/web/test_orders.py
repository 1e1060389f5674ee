"""Pedidos: what the list finds and refuses, what is done to many, who sees whom, and an order's whole story."""

import csv
import html
import io
import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from hub.store import new_id
from hub.web.pages import orders
from hub.web.pages.order import difference_of, shown
from hub.web.privacy import document_for
from tests.web.site import Answer, Reader, Site, site
from tests.web.test_pages import shop

BUYER: dict[str, Any] = {
    "name": "José da Conceição Ávila",
    "email": "jose@exemplo.example",
    "phone": "+5511987654321",
    "document": {"kind": "cpf", "number": "52998224725", "valid": True},
}
TO = {"street": "Rua Um", "number": "7", "district": "Centro", "city": "Boa Vista", "state": "RR",
      "postal_code": "69301000", "country": "BR", "recipient": "José"}  # fmt: skip


async def order_add(s: Site, number: str, **more: Any) -> str:
    """An order as some flow would leave it; its id."""
    row = {
        "status": "paid", "payment": "paid", "fulfilment": "none", "hold": None, "total_cents": 10000,
        "buyer_name": BUYER["name"], "buyer_document": "52998224725", "ship_by": None,
        "told": {"buyer": BUYER, "ship_to": TO, "items_cents": 10000}, "age": 1, **more,
    }  # fmt: skip
    id_ = new_id()
    account = (await s.w.row("SELECT id FROM account LIMIT 1"))["id"]
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            """INSERT INTO orders (seller_id, id, account_id, ref, number, stock_key, status, payment, fulfilment, hold,
                   total_cents, buyer_name, buyer_document, ship_by, told, versions, placed_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', %s)""",
            [tx.seller, id_, account, f"ref-{number}", number, f"key-{number}", row["status"], row["payment"],
             row["fulfilment"], row["hold"], row["total_cents"], row["buyer_name"], row["buyer_document"],
             row["ship_by"], json.dumps(row["told"]), s.w.rt.now() - timedelta(days=row["age"])],
        )  # fmt: skip
    return str(id_)


def numbers(answer: Answer) -> set[str]:
    """The orders that a list shows."""
    assert answer.status == 200, answer.text[-500:]
    return set(re.findall(r'<th scope="row"><a href="/pedidos/[^"]+">([^<]+)<', answer.text))


async def test_each_filter_finds_its_own_and_they_narrow_each_other() -> None:
    async with site() as s:
        await shop(s)
        first = await s.w.row("SELECT number FROM orders")
        past = s.w.rt.now() - timedelta(hours=1)
        await order_add(s, "A", hold="fraud", ship_by=past, total_cents=123456)
        await order_add(s, "B", status="cancelled", payment="refunded", age=40)
        await order_add(s, "C", status="delivered", fulfilment="returned", total_cents=500, told={}, age=3)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            day = (s.w.rt.now() - timedelta(days=3)).date()
            await tx.run("UPDATE orders SET placed_at = %s WHERE number = 'C'", [f"{day}T12:00:00Z"])
        reader = await s.signed_in()
        expected: dict[str, set[str]] = {
            "situacao=late": {"A"}, "situacao=cancelled": {"B"}, "situacao=open": {"A", first["number"]},
            "pagamento=refunded": {"B"}, "envio=returned": {"C"}, "retencao=any": {"A"}, "retencao=frozen": set(),
            "uf=RR": {"A", "B"}, "uf=RR&situacao=paid": {"A"}, "minimo=1.234,56": {"A"}, "minimo=1.234,57": set(),
            "maximo=5": {"C"}, f"de={day}&ate={day}": {"C"}, f"ate={day:%d/%m/%Y}": {"B", "C"},
            "separacao=todo&uf=RR": {"A"}, "separacao=done": set(),
            f"conta={uuid4()}": set(), "uf=&conta=": {"A", "B", "C", first["number"]},
        }  # fmt: skip
        for query, found in expected.items():
            assert numbers(await reader.get(f"/pedidos?{query}")) == found, query
        for name in (*orders.CHOICES, "uf", "conta"):  # a view that was kept when these were there is not "all"
            answer = await reader.get(f"/pedidos?{name}=nada")
            assert (answer.status, f'id="p-{name}"' in answer.text) == (400, True), name
            assert "“nada” não existe mais aqui" in answer.text
        assert (await reader.get("/pedidos/planilha.csv?uf=ZZ")).status == 400


@pytest.mark.parametrize("told", ["de=ontem", "ate=2026-13-40", "minimo=dez", "maximo=-1", "minimo=1.2.3"])
async def test_what_is_no_day_or_amount_is_named_and_kept_as_typed(told: str) -> None:
    async with site() as s:
        await shop(s)
        reader = await s.signed_in()
        name, value = told.split("=")
        answer = await reader.get(f"/pedidos?{told}")
        assert answer.status == 400
        field = re.search(rf'<input id="f-{name}"[^>]*>', answer.text)
        assert field
        assert 'aria-invalid="true"' in field[0]
        assert f'value="{value}"' in field[0]
        assert "escreva como" in answer.text
        assert (await reader.get(f"/pedidos/planilha.csv?{told}")).status == 400


async def test_a_search_finds_by_every_name_an_order_has() -> None:
    async with site() as s:
        await shop(s)
        row = await s.w.row("SELECT number FROM orders")
        id_ = await order_add(s, "N-77")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO shipment (seller_id, id, account_id, ref, tracking_code) "
                "SELECT seller_id, id, account_id, 'x', 'AA123456785BR' FROM orders WHERE number = 'N-77'"
            )
            await tx.run(
                "INSERT INTO shipment_line (seller_id, shipment_id, order_id) SELECT seller_id, id, id FROM shipment"
            )
        reader = await s.signed_in()
        for told in ("N-77", "%23N-77", "ref-N-77", "jose", "JOSÉ", "conceicao", "avil jos", "aa123456785br",
                     "529.982.247-25", "52998224725"):  # fmt: skip
            assert numbers(await reader.get(f"/pedidos?busca={told}")) == {"N-77"}, told
        assert numbers(await reader.get("/pedidos?busca=caneca")) == {row["number"]}
        assert numbers(await reader.get("/pedidos?busca=jose&situacao=cancelled")) == set()
        assert numbers(await reader.get("/pedidos?busca=jose+maria")) == set()
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE orders SET buyer_name = 'Bruna Reis' WHERE id = %s", [id_])
        assert numbers(await reader.get("/pedidos?busca=jose")) == set()
        assert numbers(await reader.get("/pedidos?busca=reis")) == {"N-77"}


async def test_a_buyer_is_whole_for_those_who_work_orders_alone() -> None:
    async with site() as s:
        await shop(s)
        id_ = await order_add(s, "N-77")
        whole = ("529.982.247-25", "jose@exemplo.example", "+5511987654321", "Rua Um", "69301-000")
        for role, sees in (("operator", True), ("viewer", False)):
            reader = await s.signed_in(f"{role}@loja.example", role)
            page = (await reader.get(f"/pedidos/{id_}")).text
            sheet = (await reader.get("/pedidos/planilha.csv")).text
            assert [told for told in whole if told in page] == (list(whole) if sees else [])
            assert ("529.982.247-25" in sheet) is sees
            assert BUYER["name"] in page
            assert "Boa Vista" in page
            assert numbers(await reader.get("/pedidos?busca=52998224725")) == ({"N-77"} if sees else set())


def test_a_masked_document_tells_nobody_who_it_is() -> None:
    assert document_for({"buyer": BUYER}, whole=False) == "***.***.247-**"
    told = {"buyer": {"document": {"kind": "cnpj", "number": "12ABC34501DE35"}}}
    assert document_for(told, whole=False) == "**.***.***/*1DE-**"
    assert document_for(told, whole=True) == "12.ABC.345/01DE-35"
    assert document_for({"buyer": {"document": {"number": "123"}}}, whole=False) == "***"
    assert document_for({}, whole=False) is None


async def test_the_sheet_has_all_that_is_filtered_and_runs_nothing() -> None:
    async with site() as s:
        await shop(s)
        for number in range(12):
            await order_add(s, f"S{number}", total_cents=123456, buyer_name="=HYPERLINK(1)", age=1 + number // 5)
        reader = await s.signed_in()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hub.web.pages.orders.PART", 5)
            answer = await reader.get("/pedidos/planilha.csv?uf=RR")
        assert answer.text.startswith("\ufeff")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        heads, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
        told = [dict(zip(heads, row, strict=True)) for row in rows]
        assert sorted(row["Pedido"] for row in told) == sorted(f"S{number}" for number in range(12))
        assert {row["Total"] for row in told} == {"1234,56"}
        assert {row["Comprador"] for row in told} == {"'=HYPERLINK(1)"}
        assert {row["Itens"] for row in told} == {"100,00"}
        assert (await s.w.row("SELECT params FROM audit_log WHERE action = 'orders_exported'"))["params"] == {
            "query": "uf=RR"
        }


async def test_views_are_ones_own_or_everybodys() -> None:
    async with site() as s:
        await shop(s)
        ana, bia = await s.signed_in("ana@loja.example", "operator"), await s.signed_in("bia@loja.example", "viewer")
        await ana.get("/pedidos?uf=RR")
        query = "uf=RR&situacao=paid&apos=x&csrf=y"
        kept = await ana.post("/pedidos/visoes", name="Norte", query=query)
        assert kept.headers["Location"] == "/pedidos?uf=RR&situacao=paid"
        await ana.post("/pedidos/visoes", name="Todos veem", query="retencao=any", shared="yes")
        await bia.get("/pedidos")
        assert (await bia.post("/pedidos/visoes", name="x", query="uf=SP", shared="yes")).status == 403
        assert "Norte" not in (await bia.get("/pedidos")).text
        assert "Todos veem" in (await bia.get("/pedidos")).text
        for bad in ({"name": "", "query": "uf=RR"}, {"name": "x", "query": "nada=1"}):
            await ana.post("/pedidos/visoes", **bad)
            assert "Dê um nome" in (await ana.get("/pedidos")).text
        rows = {row["name"]: row["id"] for row in await s.w.rows("SELECT name, id FROM order_view")}
        assert set(rows) == {"Norte", "Todos veem"}
        for view in rows.values():
            assert (await bia.post(f"/pedidos/visoes/{view}/esquecer")).status == 404
        chief = await s.signed_in("chefe@loja.example", "manager")
        assert (await chief.post(f"/pedidos/visoes/{rows['Norte']}/esquecer")).status == 404
        assert (await chief.post(f"/pedidos/visoes/{rows['Todos veem']}/esquecer")).status == 303
        assert (await ana.post(f"/pedidos/visoes/{rows['Norte']}/esquecer")).status == 303
        assert await s.w.rows("SELECT FROM order_view") == []


async def test_many_are_packed_at_once_and_unpacked_again() -> None:
    async with site() as s:
        await shop(s)
        ids = [await order_add(s, name) for name in ("A", "B")]
        reader = await s.signed_in(role="operator")
        chosen = {f"o:{id_}": "yes" for id_ in ids}
        await reader.get("/pedidos")
        assert (await reader.post("/pedidos/marcar", como="embalado", **chosen)).headers["Location"] == "/pedidos"
        assert "Marcados como embalados: 2." in (await reader.get("/pedidos")).text
        assert numbers(await reader.get("/pedidos?separacao=done")) == {"A", "B"}
        page = (await reader.get(f"/pedidos/{ids[0]}")).text
        assert "Embalado por Ana Lima" in page
        await reader.post("/pedidos/marcar", como="embalado", **chosen)
        assert "Marcados como embalados: 0." in (await reader.get("/pedidos")).text
        away = await reader.post("/pedidos/marcar", como="nao-embalado", next="https://mau.example/", **chosen)
        assert away.headers["Location"] == "/pedidos"
        assert numbers(await reader.get("/pedidos?separacao=done")) == set()
        kinds = [row["kind"] for row in await s.w.rows("SELECT kind FROM order_event WHERE order_id = %s", ids[0])]
        assert kinds == ["packed", "unpacked"]
        await reader.post("/pedidos/marcar", como="embalado")
        assert "Escolha pelo menos um" in (await reader.get("/pedidos")).text
        many = {f"o:{uuid4()}": "yes" for _ in range(201)}
        await reader.post("/pedidos/marcar", como="embalado", **many)
        assert "no máximo 200" in (await reader.get("/pedidos")).text
        assert (await reader.post("/pedidos/marcar", como="outra coisa", **chosen)).status == 400
        assert (await reader.post("/pedidos/marcar", como="embalado", **{"o:x": "yes"})).status == 400


async def _held(s: Site, order: str) -> dict[str, int]:
    rows = await s.w.rows(
        "SELECT w.code, r.quantity FROM reservation r JOIN warehouse w ON w.id = r.warehouse_id WHERE order_id = %s",
        order,
    )
    return {row["code"]: row["quantity"] for row in rows}


async def test_reservations_are_made_again_unless_the_goods_lie_on_the_table() -> None:
    async with site() as s:
        _one, order = await shop(s)
        reader = await s.signed_in(role="operator")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO warehouse (seller_id, id, code, name, rank) VALUES (%s, %s, 'novo', 'Galpão novo', -5)",
                [tx.seller, new_id()],
            )
            await tx.run(
                "INSERT INTO stock_level (seller_id, sku_id, warehouse_id, on_hand, reserved) "
                "SELECT k.seller_id, k.id, w.id, 9, 0 FROM sku k, warehouse w "
                "WHERE k.code = 'CANECA' AND w.code = 'novo'"
            )
        await reader.get("/pedidos")
        chosen = {f"o:{order}": "yes"}
        await reader.post("/pedidos/marcar", como="embalado", **chosen)
        await reader.post("/pedidos/realocar", **chosen)
        assert "está embalado: a reserva fica" in (await reader.get("/pedidos")).text
        assert await _held(s, order) == {"principal": 2}
        await reader.post("/pedidos/marcar", como="nao-embalado", **chosen)
        await reader.post("/pedidos/realocar", **chosen)
        assert "Reservas refeitas: 1" in (await reader.get("/pedidos")).text
        assert await _held(s, order) == {"novo": 2}
        page = (await reader.get(f"/pedidos/{order}/alocacao")).text
        assert "Se entrasse agora" in page
        assert "Galpão novo" in page
        await reader.post(f"/pedidos/{order}/alocacao", warehouse="principal")
        assert await _held(s, order) == {"principal": 2}
        await reader.post(f"/pedidos/{order}/alocacao", warehouse="nenhum")
        assert "Não há depósito aberto com o código nenhum" in (await reader.get(f"/pedidos/{order}")).text
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE order_line SET dispatched_quantity = 0")
        await reader.post("/pedidos/realocar", **{f"o:{uuid4()}": "yes"})
        assert "não existe mais" in (await reader.get("/pedidos")).text


async def test_notes_are_kept_with_their_authors() -> None:
    async with site() as s:
        _one, order = await shop(s)
        ana = await s.signed_in("ana@loja.example", "operator")
        await ana.get(f"/pedidos/{order}")
        assert (await ana.post(f"/pedidos/{order}/notas", body="Ligar antes <b>\nde entregar")).status == 303
        page = (await ana.get(f"/pedidos/{order}")).text
        assert "Ligar antes &lt;b&gt;\nde entregar" in page
        for body, said in ((" ", "Escreva a nota"), ("x" * 2001, "longa demais")):
            refused = await ana.post(f"/pedidos/{order}/notas", body=body)
            assert refused.status == 400
            assert said in refused.text
            assert body in refused.text
        (row,) = await s.w.rows("SELECT id FROM order_note")
        bia = await s.signed_in("bia@loja.example", "operator")
        await bia.get(f"/pedidos/{order}")
        assert (await bia.post(f"/pedidos/{order}/notas/{row['id']}/remover")).status == 404
        assert (await bia.post(f"/pedidos/{uuid4()}/notas", body="x")).status == 404
        chief = await s.signed_in("chefe@loja.example", "manager")
        await chief.get(f"/pedidos/{order}")
        assert (await chief.post(f"/pedidos/{order}/notas/{row['id']}/remover")).status == 303
        assert await s.w.rows("SELECT FROM order_note") == []


async def test_documents_open_to_managers_without_their_secrets_and_on_record() -> None:
    async with site() as s:
        _one, order = await shop(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE order_part SET raw = %s", [b'{"id": 9, "access_token": "muito-secreto-1234"}'])
        operator = await s.signed_in("op@loja.example", "operator")
        page = (await operator.get(f"/pedidos/{order}")).text
        assert f"/pedidos/{order}/documentos/" not in page
        assert (await operator.get(f"/pedidos/{order}/documentos/order")).status == 403
        chief = await s.signed_in("chefe@loja.example", "manager")
        links = re.findall(rf'href="(/pedidos/{order}/documentos/[^"]+)"', (await chief.get(f"/pedidos/{order}")).text)
        assert f"/pedidos/{order}/documentos/order" in links
        for link in links:
            answer = await chief.get(html.unescape(link))
            assert answer.status == 200, link
            assert "muito-secreto" not in answer.text
        assert "&#34;id&#34;: 9" in (await chief.get(f"/pedidos/{order}/documentos/order")).text
        assert (await chief.get(f"/pedidos/{order}/documentos/nada")).status == 404
        assert (await chief.get(f"/pedidos/{order}/documentos/{uuid4()}")).status == 404
        assert (await s.w.row("SELECT count(*) AS n FROM audit_log WHERE action = 'order_document_read'"))["n"] >= 2


def test_a_document_that_is_no_json_is_shown_as_it_came_and_a_long_one_cut() -> None:
    assert shown(b"<a>1</a>\xff") == ("<a>1</a>\ufffd", False)
    text, cut = shown(json.dumps(["x" * 400_000]).encode())
    assert cut
    assert len(text) == 300_000


async def test_an_order_tells_what_came_and_went() -> None:
    async with site() as s:
        _one, order = await shop(s)
        reader = await s.signed_in("chefe@loja.example", "manager")
        page = (await reader.get(f"/pedidos/{order}")).text
        assert "Pedido recebido" in page
        assert re.search(r"O canal avisou|A busca trouxe o pedido", page)
        assert "Estoque reservado" in page
        assert f"/pedidos/{order}/alocacao" in page


def test_an_amount_that_its_parts_do_not_make_is_told() -> None:
    told = {"items_cents": 1000, "discount_cents": 100, "shipping_cents": 50, "other_cents": None}
    assert difference_of(told, 950) is None
    assert difference_of(told, 951) == 1
    assert difference_of({"items_cents": None}, 5) is None


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("post", "/pedidos/marcar"), ("post", "/pedidos/realocar"), ("post", "/pedidos/planilha.csv"),
        ("post", "/pedidos/{id}/notas"), ("post", "/pedidos/{id}/notas/{id}/remover"),
        ("post", "/pedidos/{id}/alocacao"), ("get", "/pedidos/{id}/documentos/order"),
    ],
)  # fmt: skip
async def test_a_reader_reads(verb: str, path: str) -> None:
    async with site() as s:
        _one, order = await shop(s)
        reader: Reader = await s.signed_in(role="viewer")
        page = (await reader.get(f"/pedidos/{order}")).text
        assert 'name="como"' not in page
        assert "<textarea" not in page
        told = path.replace("{id}", order)
        assert (await (reader.post(told) if verb == "post" else reader.get(told))).status == 403


async def test_another_sellers_orders_are_out_of_reach() -> None:
    async with site() as s:
        _one, order = await shop(s)
        other = await s.other_seller()
        reader = await s.signed_in("bia@outra.example", seller_id=other)
        await reader.get("/pedidos")
        for path in (f"/pedidos/{order}", f"/pedidos/{order}/alocacao", f"/pedidos/{order}/documentos/order"):
            assert (await reader.get(path)).status == 404, path
        await reader.post("/pedidos/marcar", como="embalado", **{f"o:{order}": "yes"})
        assert "Marcados como embalados: 0." in (await reader.get("/pedidos")).text
        assert "CANECA" not in (await reader.get("/pedidos/planilha.csv")).text
        assert await s.w.rows("SELECT FROM order_handling") == []
