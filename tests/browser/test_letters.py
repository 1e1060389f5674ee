"""Parados in a real Chromium: what stands still is chosen, its replay shown before it is done, and done."""

import pytest

from tests.browser.shop import fill
from tests.browser.test_pages import CHROMIUM, screens

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
PARKED = "SELECT ref FROM inbox WHERE state = 'parked' ORDER BY ref"


async def test_what_stands_still_is_replayed_after_a_preview() -> None:
    async with screens() as screen:
        page, w = screen.page, screen.site.w
        await fill(screen.site)
        before = [row["ref"] for row in await w.rows(PARKED)]
        assert "99871" in before

        await screen.open("/sincronizacao/parados?tipo=inbox")
        assert await page.locator("td.pick input").count() == len(before)
        await page.get_by_role("button", name="Repetir os marcados…").click()
        await page.wait_for_selector(".flash.bad")  # nothing was chosen: it says so
        await page.get_by_label("Marcar 99871").check()
        await page.get_by_role("button", name="Repetir os marcados…").click()
        await page.wait_for_selector("form.approve")
        assert await page.inner_text("h1") == "O que será feito"
        (row,) = await page.locator("tbody tr").all()
        assert "99871" in await row.inner_text()
        assert "ler o pedido, que o hub ainda não conhece" in await row.inner_text()

        await page.get_by_role("button", name="Repetir 1").click()
        assert await page.locator("form.approve").count() == 1, "the browser asks for the tick first"
        assert [row["ref"] for row in await w.rows(PARKED)] == before
        await page.get_by_label("Vi o que será feito.").check()
        await page.get_by_role("button", name="Repetir 1").click()
        await page.wait_for_selector(".flash.ok")
        assert "De volta ao trabalho: 1" in await page.inner_text(".flash.ok")
        assert [row["ref"] for row in await w.rows(PARKED)] == [ref for ref in before if ref != "99871"]
        assert await page.get_by_label("Marcar 99871").count() == 0
        assert screen.complaints == []
