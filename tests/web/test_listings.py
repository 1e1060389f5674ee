"""Listings on their pages: the three numbers with their times, why, what was written, and who may let it go on."""

import re

from hub.sandbox import Product
from hub.store import accounts
from tests.web.site import Reader, Site, site
from tests.world import Channel

CANECA = Product(sku="CANECA", title="=Caneca <b>azul</b>", quantity=10, price_cents=3990, gtin="7891000315507")
PRATO = Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590)
SHOWN = "=Caneca &lt;b&gt;azul&lt;/b&gt;"


async def shop(s: Site) -> Channel:
    """Two stores; the second shows what the first sold."""
    one = await s.connect("woocommerce", [CANECA, PRATO], name="Uma", seed=1)
    await s.connect("woocommerce", [CANECA], name="Outra", seed=2)
    await s.w.open_stock(CANECA=10)
    await one.buy("CANECA", 3)
    await s.until("SELECT FROM push_log WHERE quantity = 7")
    return one


async def listing(s: Site, account: str, sku: str = "CANECA") -> dict[str, str]:
    row = await s.w.row(
        "SELECT l.id, l.slot_id FROM listing l JOIN account a ON a.id = l.account_id "
        "WHERE a.name = %s AND l.channel_sku = %s",
        account,
        sku,
    )
    return {name: str(value) for name, value in row.items()}


async def titles(reader: Reader, query: str) -> list[str]:
    text = (await reader.get(f"/anuncios?{query}")).text
    return re.findall(r'<th scope="row"><a href="/anuncios/[^"]+">([^<]+)<', text)


async def many(s: Site) -> None:
    """Sixty more listings, of slots of their own."""
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            "INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref) "
            "SELECT seller_id, gen_random_uuid(), account_id, 'n' || n, 'n' || n FROM stock_slot, "
            "generate_series(1, 60) n WHERE id = %s",
            [(await listing(s, "Uma"))["slot_id"]],
        )
        await tx.run(
            "INSERT INTO listing (seller_id, id, account_id, ref, slot_id, title, status, managed_by, seen_at) "
            "SELECT seller_id, gen_random_uuid(), account_id, ref, id, ref, 'active', 'seller', now() "
            "FROM stock_slot WHERE ref LIKE 'n%%'"
        )


async def test_listings_are_found_told_one_by_one_and_taken_along_as_a_sheet() -> None:
    async with site() as s:
        one = await shop(s)
        reader = await s.signed_in("olha@loja.example", role="viewer")
        for query in ("busca=CANECA", "busca=azul+can", "busca=7891000315507"):
            assert await titles(reader, query) == [SHOWN, SHOWN], query
        assert await titles(reader, f"conta={one.account.id}&busca=prat") == ["Prato raso"]
        assert await titles(reader, "estado=unlinked") == ["Prato raso"]
        assert await titles(reader, "estado=linked") == await titles(reader, "estado=even")
        for strange in ("busca=%25", "busca=_", "apos=x", "apos=1~2", "estado=nenhum"):
            assert (await reader.get(f"/anuncios?{strange}")).status == 200

        other = await listing(s, "Outra")
        text = (await reader.get(f"/anuncios/{other['id']}")).text
        assert SHOWN in text
        assert "estoque 10, reservado 3, livre 7" in text
        assert re.search(r"<b>7</b></td>\s*<td[^>]*>.*aceito", text)
        assert "código igual" in text  # linked by its code when the SKU was counted
        assert "Nunca diferiu" in text
        plate = (await reader.get(f"/anuncios/{(await listing(s, 'Uma', 'PRATO'))['id']}")).text
        assert "Nenhum SKU é deste anúncio" in plate
        assert (await reader.get("/anuncios/nada")).status == 404
        neighbour = await s.w.neighbour("Vizinha")
        stranger = await s.signed_in("viz@loja.example", seller_id=neighbour.seller_id)
        assert (await stranger.get(f"/anuncios/{other['id']}")).status == 404

        sheet = (await reader.get("/anuncios/planilha.csv?estado=linked")).text
        assert sheet.startswith("\ufeffConta;Código no canal;")
        lines = sheet.split("\r\n")
        assert len(lines) == 4
        for told in ("'=Caneca <b>azul</b>", "39,90", ";em dia;"):
            assert told in lines[1]
        packer = await s.signed_in("dep@loja.example", role="warehouse")
        sheet = (await packer.get("/anuncios/planilha.csv")).text
        assert "39,90" not in sheet + (await packer.get("/anuncios")).text
        assert "Preço" not in sheet

        await many(s)
        first = (await reader.get("/anuncios")).text
        onward = re.search(r'href="([^"]+)" rel="next"', first)
        assert onward
        seen = await titles(reader, "") + await titles(reader, onward[1].partition("?")[2])
        assert (len(seen), len(set(seen))) == (63, 62)  # the mug is in both stores


async def test_what_stands_still_says_why_and_goes_on_by_the_word_of_who_may_give_it() -> None:
    async with site() as s:
        await shop(s)
        other = await listing(s, "Outra")
        page, slot = f"/anuncios/{other['id']}", other["slot_id"]

        async def put(sql: str) -> None:
            async with s.w.rt.db.seller(s.w.seller_id) as tx:
                await tx.run(f"UPDATE stock_slot SET due_at = NULL, {sql} WHERE id = %s", [slot])

        await put("parked_code = 'x', parked_reason = 'em <i>revisão</i>', expected = 9")
        operator = await s.signed_in("op@loja.example", role="operator")
        packer = await s.signed_in("dep@loja.example", role="warehouse")
        assert await titles(operator, "estado=parked") == [SHOWN]
        told = (await operator.get(page)).text
        assert "em &lt;i&gt;revisão&lt;/i&gt;" in told
        assert "escreve 7 se ainda diferir" in told
        assert "Tentar de novo" not in (await packer.get(page)).text
        assert (await packer.post(f"{page}/tentar")).status == 403
        assert (await operator.post(f"{page}/tentar")).headers["Location"] == page
        await s.w.settle()
        assert await titles(operator, "estado=parked") == []
        await operator.post(f"{page}/tentar")
        assert "não está mais estacionado" in (await operator.get(page)).text

        await put("braked = true, desired = 0, cause = 'count'")
        assert await titles(operator, "estado=braked") == [SHOWN]
        assert (await operator.post(f"{page}/soltar")).status == 403
        manager = await s.signed_in("ger@loja.example", role="manager")
        assert "O zero está certo" in (await manager.get(page)).text
        await manager.post(f"{page}/soltar")
        row = await s.w.row("SELECT braked, cause FROM stock_slot WHERE id = %s", slot)
        assert row == {"braked": False, "cause": "allowed"}
        await s.w.settle()

        two = s.w.channels[1]
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await accounts.settle_settings(tx, two.account.id, drift={"external_edit_up": "propose"})
        await s.w.pass_time()
        vars(two.sandbox)["by_sku"]["CANECA"].units = 30
        await s.w.hurry("reconcile")
        await s.w.settle()
        assert await titles(operator, "estado=different") == [SHOWN]
        told = (await operator.get(page)).text
        assert "O canal mostra mais do que há" in told
        assert "veja a conferência" in told
