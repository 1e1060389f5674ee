"""In a real Chromium: from an empty installation to the first order; the demonstration, opened and thrown away."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, ViewportSize, async_playwright

from adapters.woocommerce import sandbox as store
from hub.sandbox import Product
from hub.web.keys import STAND
from jobs.demo.stand import Stand
from tests.browser.test_pages import CHROMIUM, NARROW, WIDE, launched
from tests.web.site import PASSWORD, Site, site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
PICTURES = os.environ.get("BALCAO_TEST_PICTURES")  # a folder to keep what was seen
SHELF = [
    Product(sku="CAN-01", title="Caneca de porcelana azul 300 ml", quantity=12, price_cents=3990),
    Product(sku="PRA-02", title="Prato raso branco 26 cm", quantity=8, price_cents=2590),
]


@asynccontextmanager
async def looking(viewport: ViewportSize = WIDE) -> AsyncIterator[tuple[Site, Page, list[str]]]:
    """An installation without anybody, and a browser."""
    async with site() as s, async_playwright() as playwright:
        browser = await launched(playwright)
        try:
            page = await (await browser.new_context(viewport=viewport, locale="pt-BR")).new_page()
            complaints: list[str] = []
            page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
            page.on("pageerror", lambda problem: complaints.append(str(problem)))
            yield s, page, complaints
        finally:
            await browser.close()


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
        await page.set_viewport_size(NARROW)
        await page.screenshot(path=Path(PICTURES) / f"{name}-360.png", full_page=True)
        await page.set_viewport_size(WIDE)


@asynccontextmanager
async def working(s: Site) -> AsyncIterator[None]:
    """Workers, as they would be."""

    async def work() -> None:
        while True:
            if not await s.w.drain():
                await asyncio.sleep(0.03)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_from_an_empty_installation_to_the_first_order() -> None:
    sandbox = store.create(SHELF)
    async with looking() as (s, page, complaints), TestServer(sandbox.app) as server:
        await page.goto(s.base + "/")
        assert page.url.endswith("/comecar")
        await picture(page, "comecar")
        for name, told in (
            ("name", "Ana Lima"), ("email", "ana@loja.example"), ("password", PASSWORD), ("again", PASSWORD),
            ("shop", "Loja da Ana"), ("document", "11.222.333/0001-81"), ("cep", "01310-100"),
        ):  # fmt: skip
            await page.fill(f"#{name}", told)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#steps")
        await picture(page, "passos")
        async with s.w.rt.db.dispatch() as tx:
            s.w.seller_id = await tx.value("SELECT seller_id FROM seller WHERE name = 'Loja da Ana'")
        await page.click(".way-step.now a.primary")
        await page.goto(s.base + "/contas/nova?canal=woocommerce")
        for name, told in sandbox.credentials(str(server.make_url("")).rstrip("/")).items():
            await page.fill(f"#c_{name}", told)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/contas/*-*")
        await page.goto(s.base + "/")
        async with working(s):  # the step is made while the page is open: nobody loads it anew
            await page.wait_for_selector('form[action="/primeiros-passos/ligar"] button.primary')
            await page.click('form[action="/primeiros-passos/ligar"] button')
            await picture(page, "passos-ligado")
            await page.click('a.primary[href="/primeiros-passos/estoque"]')
            await picture(page, "passos-estoque")
            await page.check("input[name=seen]")
            await page.click("form.approve button.primary")
            await page.click('.way-step.now a.primary[href$="/previa"]')
            await page.check("input[name=seen]")
            await page.click("button.primary")
            await page.wait_for_selector(".flash.ok")
            await page.goto(s.base + "/")
            await page.wait_for_selector("#live-state.on")
            await sandbox.act("buy", {"lines": [{"sku": "CAN-01", "quantity": 2}]})
            await page.wait_for_selector("#h-passos:has-text('Tudo pronto')", timeout=60_000)
        await picture(page, "passos-pronto")
        assert await page.locator(".way-step.done").count() == 6
        assert complaints == []


async def test_the_demonstration_is_opened_shows_life_and_is_thrown_away() -> None:
    async with looking() as (s, page, complaints):
        await s.person("ana@loja.example")
        stand = Stand(s.w.rt, s.w.pulse, s.base)
        s.server.app[STAND] = stand
        stand.start()
        await page.goto(s.base + "/entrar")
        await page.fill("#email", "ana@loja.example")
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        async with working(s):
            await page.click("#steps form[action='/demonstracao'] button")
            await page.wait_for_selector(".demo-bar")
            demo = await stand.until_ready()
            s.w.seller_id = demo
            await s.w.until("SELECT FROM shortage", seconds=60)
            await s.w.until("SELECT FROM orders OFFSET 9", seconds=60)
            for path in ("/", "/pedidos", "/anuncios", "/faltas", "/contas", "/compras"):
                await page.goto(s.base + path)
                assert await page.locator(".demo-bar").count() == 1, path
                await picture(page, f"demo{path.replace('/', '-')}")
            await page.click(".demo-bar summary")
            await page.check(".demo-bar input[name=sure]")
            await page.click(".demo-bar button.danger")
            await page.wait_for_selector(".flash.ok")
        assert await page.locator(".demo-bar").count() == 0
        async with s.w.rt.db.dispatch() as tx:
            assert await tx.all("SELECT seller_id FROM seller WHERE seller_id = %s", [demo]) == []
        await stand.close()
        assert complaints == []
