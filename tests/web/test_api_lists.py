"""Lists that grow: walked to their end by cursor over the API and page by page in a browser, each row once."""

import html
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from hub.buffers import BufferKind
from hub.store import buffers, suppliers, warehouses
from hub.store.buffers import Rule
from tests.web.site import Reader, Site, site
from tests.web.test_api_framework import Program
from tests.web.test_api_resources import got, program

RULES = 60  # more than a page shows


async def walked(p: Program, path: str, limit: int) -> list[Any]:
    """Every row, page after page; `next` is told as long as there are more."""
    rows: list[Any] = []
    told = await got(p, f"{path}?limit={limit}")
    while told["next"]:
        assert len(told["data"]) == limit
        rows += told["data"]
        told = await got(p, f"{path}?limit={limit}&cursor={told['next']}")
    return [*rows, *told["data"]]


async def turned(reader: Reader, path: str, pattern: str, pager: str = "Páginas") -> list[list[str]]:
    """What each page shows of a pattern, following its own pager."""
    found = []
    while path:
        text = (await reader.get(path)).text
        found.append([html.unescape(each) for each in re.findall(pattern, text)])
        links = re.search(rf'aria-label="{pager}">(.*?)</nav>', text, re.DOTALL)
        onward = re.search(r'href="([^"]+)" rel="next"', links[1]) if links else None
        path = html.unescape(onward[1]) if onward else ""
    return found


async def stocked(s: Site) -> tuple[UUID, UUID]:
    """Rules, suppliers and warehouses, none made in the order in which it is told."""
    one, two = sorted([(await s.connect("woocommerce", [], name=name)).account.id for name in ("Uma", "Outra")])
    now = s.w.rt.now()
    every: list[tuple[str, str, UUID | None, str]] = [("listing", f"L~{n:02}", one, "most") for n in range(RULES)]
    every += [("sku", "Vaso~1", account, kind) for account in (None, two, one) for kind in ("units", "least")]
    every += [("sku", "caneca", None, "auto"), ("category", "ça", None, "percent"), ("category", "ça", two, "percent")]
    every += [("channel", str(account), account, "units") for account in (two, one)]
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        for scope, ref, account, kind in reversed(every):
            rule = Rule(scope=scope, scope_ref=ref, account_id=account, kind=BufferKind(kind), value=1)
            await buffers.put(tx, rule, None, now)
        for n in reversed(range(RULES)):
            await suppliers.add(tx, f"Olaria {n:02}")
            await warehouses.warehouse_add(tx, f"d{n:02}", f"Depósito {n:02}", rank=1000 - n // 2)
        gone = await suppliers.named(tx, "Olaria 30")
        assert gone is not None
        await suppliers.edit(tx, gone["id"], archived_at=now)
    return one, two


def place(row: Any) -> tuple[str, str, str, str]:
    return (row["scope"], row["ref"], row["account_id"], row["kind"])


async def test_rules_suppliers_and_warehouses_are_walked_to_the_end_each_once() -> None:
    async with site() as s:
        one, two = map(str, await stocked(s))
        p = await program(s, "stock:read", "stock:write", "purchases:read")
        # Buffers: the most particular scope first; of one thing, those of one account before those of all.
        rules = await walked(p, "/buffers", 7)
        assert [place(row) for row in rules[RULES:]] == [
            *(("sku", "Vaso~1", account, kind) for account in (one, two, None) for kind in ("least", "units")),
            ("sku", "caneca", None, "auto"),
            ("category", "ça", two, "percent"), ("category", "ça", None, "percent"),
            ("channel", None, one, "units"), ("channel", None, two, "units"),
        ]  # fmt: skip
        assert [row["ref"] for row in rules[:RULES]] == [f"L~{n:02}" for n in range(RULES)]
        for limit in (1, 200):
            assert await walked(p, "/buffers", limit) == rules
        # Where the rule that a page ended with is removed, the next one begins behind it all the same.
        page = await got(p, "/buffers?limit=62")
        assert (await p.ask("DELETE", f"/buffers/{page['data'][-1]['id']}"))[0] == 200
        assert (await got(p, f"/buffers?limit=200&cursor={page['next']}"))["data"] == rules[62:]
        assert (await p.ask("GET", f"/suppliers?cursor={page['next']}"))[0] in (403, 422)
        # Suppliers by name, archived ones left out; warehouses by code.
        names = [row["name"] for row in await walked(p, "/suppliers", 7)]
        assert names == [f"Olaria {n:02}" for n in range(RULES) if n != 30]
        codes = [row["code"] for row in await walked(p, "/warehouses", 7)]
        assert codes == sorted([*(f"d{n:02}" for n in range(RULES)), *(c for c in codes if not c.startswith("d"))])
        assert len(codes) >= RULES

        # The same on their pages, fifty at a time.
        ana = await s.signed_in()
        home = "/configuracoes/margens"
        shown = await turned(ana, home, r'<tr><th scope="row">([^<]+)<small>')
        told = [row["account"] if row["scope"] == "channel" else row["ref"] for row in rules]
        told.pop(61)
        assert [len(each) for each in shown] == [50, len(told) - 50]
        assert [*chain(*shown)] == told
        assert (await ana.get(f"{home}?apos=sku~x~units~y")).text.count("L~00") == 1, "what is no place begins anew"
        assert (await ana.get(f"{home}?feita={UUID(int=0)}")).status == 200
        heads = r'<tr><th scope="row">([^<]+)<small>'
        assert await turned(ana, f"{home}?busca=l~", heads) == [told[:50], told[50:RULES]]
        assert await turned(ana, f"{home}?busca=%C3%A7", heads) == [["ça", "ça"]]
        assert "Nenhuma margem assim" in (await ana.get(f"{home}?busca={one}")).text, "no account's id is searched"
        seen = await ana.post(f"{home}/previa", escopo="sku", sku="NADA", tipo="units", valor="1")
        assert seen.status == 400
        assert f'href="{home}?apos=listing~' in seen.text, "what was sent is answered with the list's own pages"
        houses = await turned(ana, "/depositos", r'<a href="/depositos/[0-9a-f-]{36}">([^<]+)</a>')
        assert len(houses[0]) == 50
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert [*chain(*houses)] == [row["name"] for row in await warehouses.named(tx)], "by rank"
        # Two lists on one page are turned apart.
        await s.w.rows(
            """INSERT INTO purchase_order (seller_id, id, supplier_id, number, created_at)
               SELECT seller_id, gen_random_uuid(), id, row_number() OVER (ORDER BY name),
                      now() - interval '1 day' * row_number() OVER (ORDER BY name) FROM supplier RETURNING id"""
        )
        wares = await turned(ana, "/compras", r'<span class="task-name">([^<]+)</span>', "Páginas de fornecedores")
        assert wares == [names[:50], names[50:]]
        orders = await turned(ana, f"/compras?fornecedores_apos={names[0]}", r"· (Olaria \d\d)</a>")
        assert [len(each) for each in orders] == [50, 10]
        both = (await ana.get(f"/compras?situacao=open&apos=x&fornecedores_apos={names[0]}")).text
        assert f'<span class="task-name">{names[0]}' not in both
        firsts = re.findall(r'href="([^"]+)">Voltar ao começo', both)
        assert "/compras?situacao=open&amp;apos=x" in firsts, "the first suppliers, the orders where they are"
        # What to buy, of a supplier by its name as it is typed or by its id.
        supplier = await s.w.row("SELECT id FROM supplier WHERE name = 'Olaria 31'")
        for word in ("olaria 31", supplier["id"]):
            assert 'value="Olaria 31"' in (await ana.get(f"/reposicao?fornecedor={word}")).text
        assert "Não há este fornecedor." in (await ana.get("/reposicao?fornecedor=Nada")).text


async def test_keys_in_force_are_shown_whatever_was_revoked_since() -> None:
    async with site() as s:
        ana = await s.signed_in()
        await program(s, "stock:read")
        await s.w.rows("UPDATE api_key SET name = 'planilha', created_at = now() - interval '1 year' RETURNING id")
        await s.w.rows(
            """INSERT INTO api_key (seller_id, id, name, key_hash, scopes, revoked_at)
               SELECT %s, gen_random_uuid(), 'velha', decode(md5(n::text), 'hex'), '{stock:read}', now()
               FROM generate_series(1, 201) n RETURNING id""",
            s.w.seller_id,
        )
        page = (await ana.get("/configuracoes/chaves")).text
        rows: Sequence[str] = re.findall(r'<tr><th scope="row">(\w+)</th>', page)
        assert (rows[0], len(rows)) == ("planilha", 200)
