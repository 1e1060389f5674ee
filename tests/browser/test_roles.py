"""What people of other roles are shown in a real Chromium, and what is refused to them; in English for one of them."""

import re

import pytest
from playwright.async_api import async_playwright

from tests.browser.shop import fill
from tests.browser.test_pages import CHROMIUM, Screen, entered, launched
from tests.web.site import site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
MONEY = re.compile(r"R\$|BRL")


async def refused(screen: Screen, path: str, title: str) -> None:
    """The address answers a page that says so, and nothing else."""
    answer = await screen.page.goto(screen.site.base + path)
    assert answer is not None
    assert answer.status == 403, path
    assert await screen.page.inner_text("h1") == title, path


async def posted(screen: Screen, path: str) -> int:
    """The status that a form gets which no page of theirs has, sent with their own token."""
    status: int = await screen.page.evaluate(
        """async path => (await fetch(path, {method: "POST", redirect: "manual", body: new URLSearchParams({
            csrf: document.querySelector("[name=csrf]").value})})).status""",
        path,
    )
    return status


async def test_the_warehouse_and_a_reader_see_and_do_what_their_role_reaches() -> None:
    async with site() as s, async_playwright() as playwright:
        await s.person("ana@loja.example")
        order = await fill(s)
        alert = (await s.w.row("SELECT id FROM alert WHERE kind = 'shortage'"))["id"]
        await s.person("bia@loja.example", "warehouse", name="Bia do Depósito")
        await s.person("carl@loja.example", "viewer", name="Carl Reader", locale="en")
        browser = await launched(playwright)
        try:
            bia = await entered(s, await browser.new_context(), "bia@loja.example")
            assert bia.page.url == f"{s.base}/separacao"
            places = await bia.page.locator("nav.main > ul > li:not(.more) > a").all_inner_texts()
            assert {"Separação", "Prazos", "Estoque", "Etiquetas", "Envios"} <= set(places)
            assert not {"Painel", "Alertas", "Pedidos", "Contas", "Sincronização"} & set(places)
            for path in ("/separacao", "/prazos", "/etiquetas", "/anuncios", "/estoque/CAN-01", "/envios"):
                await bia.open(path)
                assert not MONEY.search(await bia.page.inner_text("main")), f"{path} tells the warehouse of money"
                assert await bia.page.get_by_role("button", name="Cotar").count() == 0, path
            for path in ("/pedidos", f"/pedidos/{order}", "/alertas", "/contas", "/configuracoes/pessoas"):
                await refused(bia, path, "Sem permissão")
            await bia.open("/etiquetas")
            assert [await posted(bia, path) for path in ("/etiquetas/comprar", f"/alertas/{alert}/assumir")] == [
                403,
                403,
            ]

            carl = await entered(s, await browser.new_context(), "carl@loja.example")
            for path in ("/", "/pedidos", f"/pedidos/{order}", f"/alertas/{alert}", "/sincronizacao/parados"):
                await carl.open(path)
                assert await carl.page.get_attribute("html", "lang") == "en"
                assert await carl.page.locator("main form[method=post] button:enabled, main td.pick").count() == 0, path
            await carl.open(f"/pedidos/{order}")
            assert "paid, to dispatch" in await carl.page.inner_text("h1 + .chips")
            assert "11144477735" not in await carl.page.content(), "a reader is shown no whole CPF"
            for path in ("/contas/nova", "/configuracoes/pessoas", f"/pedidos/{order}/documentos/order"):
                await refused(carl, path, "Not allowed")
            await carl.open("/pedidos")
            paths = ("/pedidos/marcar", f"/alertas/{alert}/encerrar", "/sincronizacao/parados/repetir")
            assert [await posted(carl, path) for path in paths] == [403, 403, 403]
            assert all("403" in told for told in (*bia.complaints, *carl.complaints))
        finally:
            await browser.close()
