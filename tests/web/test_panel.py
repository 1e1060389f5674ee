"""The front page: what waits and for whom, today's numbers, and charts that say what their tables say."""

import re
from datetime import datetime, timedelta

import pytest

from hub.sandbox import Product
from hub.store import alerts, today
from hub.web import charts
from hub.web.i18n import ZONE
from jobs import processes
from tests.web.site import site

SHELF = [Product(sku="CANECA", title="Caneca", quantity=2, price_cents=3990)]


def test_bars_fill_their_box_and_the_smallest_is_seen() -> None:
    assert charts.bars([]) == []
    assert charts.bars([("a", 0, 0)]) == []
    low, high, none, part = charts.bars([("a", 1, 1), ("b", 10_000, 10_000), ("c", 0, 0), ("d", 10_000, 5_000)])
    assert (low.height, high.height, high.y) == (charts.LEAST, charts.HIGH, 0)
    assert (none.height, none.top_height) == (0, 0)
    assert (part.height, part.top_height, part.y, part.top_y) == (48, 48, 48, 0)
    assert low.x + low.width < high.x
    assert part.x + part.width <= charts.WIDE
    assert all(bar.y + bar.height == charts.HIGH for bar in (low, high, part))


async def test_sales_stock_outs_and_propagation_of_today_are_there_with_their_numbers() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        two = await s.connect("woocommerce", SHELF, name="Dois", seed=2)
        await s.w.open_stock(CANECA=2)
        reader = await s.signed_in()
        empty = (await reader.get("/")).text
        assert "nenhum SKU foi a zero" in empty
        assert "Nenhuma venda hoje" in empty
        await one.buy("CANECA", 2)
        await s.until("SELECT FROM push_log WHERE quantity = 0 AND outcome = 'accepted'")
        assert two.shelf() == {"CANECA": 0}
        text = (await reader.get("/")).text
        assert "nenhum SKU foi a zero" not in text
        assert re.search(r'id="esgotados".*?/estoque/CANECA', text, re.DOTALL)
        assert re.search(r'<rect class="bar-full"[^>]*height="96', text)
        (told,) = await s.w.rows("SELECT placed_at, total_cents FROM orders")
        hour = told["placed_at"].astimezone(ZONE).hour
        row = (
            rf'<th scope="row">{hour} h</th><td class="num">1</td><td class="num">R\$\xa0{told["total_cents"] // 100},'
        )
        assert re.search(row, text)
        assert re.search(r"<title>\d\d:\d\d: p50 [\d,]+ m?s, p99 [\d,]+ m?s</title>", text)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            midnight = datetime.combine(datetime.now(ZONE).date(), datetime.min.time(), ZONE)
            count, rows = await today.ran_out(tx, midnight, 5)
            assert (count, rows[0]["code"], rows[0]["accounts"], rows[0]["back"]) == (1, "CANECA", 1, False)
            later = await today.ran_out(tx, s.w.rt.now() + timedelta(hours=1), 5)
            assert later == (0, [])
        await s.w.open_stock(CANECA=5)
        await s.w.settle()
        assert "já voltou" in (await reader.get("/")).text


@pytest.mark.parametrize(("role", "mine"), [("operator", 1), ("manager", 1), ("viewer", 0)])
async def test_what_waits_is_shown_by_urgency_with_owner_and_due(role: str, mine: int) -> None:
    async with site() as s:
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.raise_(tx, "slot_parked", "x/1", account="Loja", ref="1003", detail="em revisão")
            await alerts.raise_(tx, "account_held", "x", severity="urgent", account="Loja", detail="sem acesso")
        await processes.turn(s.w.rt)
        reader = await s.signed_in(role=role)
        text = (await reader.get("/")).text
        assert text.index("está suspensa") < text.index("1003"), "the urgent one first"
        assert "gerentes" in text
        assert "operadores" in text
        assert (f"meus: {mine}" in text) == bool(mine)
        assert re.search(r"prazo <time", text)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE alert SET due_at = now() - interval '1 hour' WHERE kind = 'account_held'")
        assert "fora do prazo: 1" in (await reader.get("/")).text


async def test_the_navigation_shows_where_one_is_and_leaves_the_page_its_own_tabs() -> None:
    async with site() as s:
        reader = await s.signed_in()
        for path, place, tab in (
            ("/pedidos?situacao=paid", "/pedidos", "situacao=paid"),
            ("/faltas?estado=abertas", "/faltas", "estado=abertas"),
            ("/processos/shortage", "/processos", None),
            ("/compras", "/reposicao", None),
        ):
            text = (await reader.get(path)).text
            chosen = set(re.findall(r'<a href="([^"]+)" aria-current="page"', text))
            assert chosen == {place}, path
            assert tab is None or re.search(rf'{tab}" aria-current="true"', text), path
        at_home = (await reader.get("/")).text
        for place in ("/alertas", "/faltas", "/processos", "/contas"):
            assert f'<a href="{place}"' in at_home
        assert at_home.count('class="rest"') == at_home.split('class="sheet"')[1].split("</ul>")[0].count("<li>")
