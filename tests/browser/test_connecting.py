"""Connecting in a real Chromium: by a vendor's consent page on another origin, and by keys, right and wrong."""

import shutil

import pytest

from tests.browser.test_pages import screens
from tests.web.test_connecting import SHELF, vendor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
        reason="no chromium on this machine: apt-get install chromium",
    ),
]


async def test_a_shop_is_connected_by_authorization_and_another_by_keys_of_which_wrong_ones_are_explained() -> None:
    async with screens(public_url=None) as screen:
        s, page = screen.site, screen.page
        market, store = await vendor(s, "mercadolivre"), await vendor(s, "woocommerce")
        await screen.open("/contas")
        await page.click("a.button.primary")
        await page.click("a.choice:has-text('Mercado Livre')")
        for name, value in market.typed.items():
            if name == "endpoint":
                await page.click("summary:has-text('Mais opções')")
            await page.fill(f"#c_{name}", value)
        await page.click("main button.primary")  # to the vendor, who says yes at once, and back
        await page.wait_for_url("**/contas/*-*-*")
        assert "respondeu: a conta é" in await page.inner_text(".flash")
        assert "state=" not in page.url
        assert await page.inner_text("#reading h2") == "Primeira leitura"
        await s.w.settle()
        await page.wait_for_selector("#reading .chip.ok", timeout=10_000)  # it follows by itself
        assert f"{len(SHELF)} anúncios lidos" in await page.inner_text("#reading")

        await screen.open("/contas/nova?canal=woocommerce")
        typed = {**store.typed, "consumer_secret": "cs_errado"}
        for name, value in typed.items():
            await page.fill(f"#c_{name}", value)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".flash.bad")
        assert "recusou o acesso" in await page.inner_text(".flash.bad")
        assert await page.input_value("#c_store_url") == typed["store_url"]
        assert await page.input_value("#c_consumer_secret") == ""
        await page.fill("#c_consumer_secret", store.typed["consumer_secret"])
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/contas/*-*-*")
        assert "respondeu: a conta é" in await page.inner_text(".flash")
        assert await screen.overflow() <= 0
        assert [each for each in screen.complaints if "422" not in each] == []
