"""Linking and margins in a real Chromium: a SKU is linked, a margin is set, and the number is explained."""

from hub.sandbox import Product
from tests.browser import test_pages
from tests.browser.test_pages import screens

pytestmark = test_pages.pytestmark
SHELF = [
    Product(sku="LOJA-77", title="Caneca de porcelana azul 300 ml", quantity=4, price_cents=3990),
    Product(sku="PRA-02", title="Prato raso branco", quantity=8, price_cents=2590),
]


async def test_a_sku_is_linked_and_a_margin_of_it_explains_the_number() -> None:
    async with screens() as screen:
        s, page = screen.site, screen.page
        one = await s.connect("woocommerce", SHELF, name="Loja da Ana", seed=1)
        await s.w.open_stock(**{"CAN-01": 12})
        await screen.open("/anuncios?estado=unlinked")
        await page.click('th[scope="row"] a:has-text("Caneca")')
        await page.click("text=Vincular a um SKU")
        await page.fill("#busca", "CAN-01")
        await page.keyboard.press("Enter")
        await page.click('button[aria-label="Escolher CAN-01"]')
        assert "O canal passa de 4 a 12." in await page.inner_text("main")
        await page.click("section.card button.primary")
        assert "O canal passa a mostrar 12." in await page.inner_text(".flash.ok")
        await s.w.settle()
        assert one.shelf()["LOJA-77"] == 12

        await page.click("text=Definir uma margem")
        await page.select_option("#conta", label="Loja da Ana")
        await page.fill("#valor", "5")
        await page.keyboard.press("Enter")
        assert "7" in await page.inner_text('td[data-label="Depois"]')
        await page.click("#guardar")
        assert "Margem de segurança (anúncio) de 5: resta 7." in await page.inner_text(".steps")
        await s.w.settle()
        assert one.shelf()["LOJA-77"] == 7
        assert await screen.overflow() <= 0
        assert screen.complaints == []
