"""Pedidos in a real Chromium: the list narrowed, an order opened, its documents, and back to the list as it was."""

import pytest

from tests.browser.shop import fill
from tests.browser.test_pages import CHROMIUM, screens

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]


async def test_an_order_is_found_opened_read_and_left_again() -> None:
    async with screens() as screen:
        page, w = screen.page, screen.site.w
        await fill(screen.site)
        everything = await w.rows(
            "SELECT o.number, a.name AS account FROM orders o JOIN account a ON a.id = o.account_id"
        )
        theirs = {row["number"] for row in everything if row["account"] == "Mercado Livre Ana"}
        assert theirs != {row["number"] for row in everything}
        shown = page.locator('tbody th[scope="row"] > a')

        await screen.open("/pedidos")
        assert await shown.count() == len(everything)
        await page.select_option("#conta", label="Mercado Livre Ana")
        await page.get_by_role("button", name="Filtrar").click()
        await page.wait_for_url("**conta=*")
        assert set(await shown.all_inner_texts()) == theirs
        await page.fill("#busca", "JAR-04")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**busca=JAR-04*")
        (number,) = await shown.all_inner_texts()
        assert number in theirs
        filtered = page.url

        await shown.first.click()
        await page.wait_for_selector("h1")
        told = await page.inner_text("main")
        assert await page.inner_text("h1") == f"Pedido {number}"
        for said in ("JAR-04", "R$\u00a079,90", "1 de JAR-04 em Principal", "Mercado Livre Ana"):
            assert said in told, said
        assert await page.locator("ol.line > li").count() > 1, "the story tells what came and what was done"
        await page.locator("a[href*='/documentos/']").first.click()
        await page.wait_for_selector("pre.document")
        assert number in await page.inner_text("pre.document")

        await page.go_back()
        await page.go_back()
        assert page.url == filtered
        assert await page.input_value("#busca") == "JAR-04"
        assert await page.locator("#conta option:checked").inner_text() == "Mercado Livre Ana"
        assert await shown.all_inner_texts() == [number]
        assert screen.complaints == []
