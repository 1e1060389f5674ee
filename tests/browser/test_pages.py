"""The pages in a real Chromium: wide and narrow, by keyboard, without script, and live."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Page,
    Playwright,
    ViewportSize,
    async_playwright,
)

from tests.browser import axe, rarer
from tests.browser.shop import fill
from tests.browser.walk import PAGES, Spot, Who, spots
from tests.web.site import PASSWORD, Site, site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
)  # fmt: skip
Scheme = Literal["light", "dark"]
WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=360, height=740)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]


@dataclass
class Screen:
    """A shop's pages in a browser that has signed in; `complaints` are console errors and failed scripts."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)

    async def open(self, path: str, status: int = 200) -> None:
        answer = await self.page.goto(self.site.base + path)
        assert answer is not None
        assert answer.status == status, path
        if status != 200:  # the browser complains of it by itself
            self.complaints = [each for each in self.complaints if str(status) not in each]

    async def visit(self, spot: Spot) -> None:
        """Open a page of the walk."""
        await self.open(spot.path, spot.status)
        if spot.sends is not None:
            address, sheet = spot.sends
            form = self.page.locator(f'form[action="{address}"]')
            told = FilePayload(name="planilha.csv", mimeType="text/csv", buffer=sheet.encode())
            await form.locator("input[type=file]").set_input_files(told)
            async with self.page.expect_navigation():
                await form.evaluate("form => form.requestSubmit()")

        if spot.ticks is not None:
            boxes, button = spot.ticks
            for box in await self.page.locator(boxes).all():
                await box.check()
            async with self.page.expect_navigation():
                await self.page.locator(button).click()

    async def overflow(self) -> int:
        """Pixels that the document is wider than its window."""
        width: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    async def tab_to(self, selector: str, most: int = 60) -> int:
        """Press Tab until the thing has the focus, and is seen to have it. Answers how many presses it took."""
        for presses in range(1, most + 1):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("s => document.activeElement.matches(s)", selector):
                ring = await self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert ring != "none", f"{selector} has the focus and does not show it"
                return presses
        raise AssertionError(f"Tab does not reach {selector}")


def _heard(screen: Screen, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        screen.complaints.append(message.text)


async def launched(playwright: Playwright) -> Browser:
    return await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


async def screen_of(s: Site, context: BrowserContext) -> Screen:
    """Somebody's browser at the shop's pages."""
    page = await context.new_page()
    screen = Screen(s, page)
    page.on("console", lambda message: _heard(screen, message))
    page.on("pageerror", lambda problem: screen.complaints.append(str(problem)))
    return screen


async def stranger(screen: Screen, locale: str | None = None) -> Screen:
    """Somebody who has not signed in, in the same browser."""
    browser = screen.page.context.browser
    assert browser is not None
    return await screen_of(screen.site, await browser.new_context(locale=locale))


async def half_in(screen: Screen, locale: str | None = None) -> Screen:
    """Somebody who has given a password and is asked for a code, in the same browser."""
    made = await stranger(screen, locale)
    await made.open("/entrar")
    await made.page.fill("#email", rarer.CAREFUL)
    await made.page.fill("#password", PASSWORD)
    await made.page.keyboard.press("Enter")
    await made.page.wait_for_url("**/entrar/codigo")
    return made


async def lookers(screen: Screen, locale: str) -> dict[Who, Screen]:
    """Everybody that the walk goes as, once the shop is filled."""
    return {"owner": screen, "stranger": await stranger(screen, locale), "half in": await half_in(screen, locale)}


async def entered(s: Site, context: BrowserContext, email: str = "ana@loja.example") -> Screen:
    screen = await screen_of(s, context)
    page = screen.page
    await screen.open("/entrar")
    await page.fill("#email", email)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("nav.main")
    return screen


@asynccontextmanager
async def screens(
    viewport: ViewportSize = WIDE, *, javascript: bool = True, locale: str = "pt_BR", **policy: Any
) -> AsyncIterator[Screen]:
    async with site(**policy) as s, async_playwright() as playwright:
        await s.person("ana@loja.example", locale=locale)
        browser = await launched(playwright)
        context = await browser.new_context(viewport=viewport, java_script_enabled=javascript)
        try:
            yield await entered(s, context)
        finally:
            await browser.close()


async def sell(s: Site) -> None:
    """One sale on the first store, as far as the other one's answer."""
    count = (await s.w.row("SELECT count(*) AS n FROM push_log"))["n"]
    await s.w.channels[0].buy("PRA-02", 1)
    await s.until("SELECT FROM push_log OFFSET %s", count)


# (locale, how each page is looked at: window, colours). The first look of all is axe-core's whole; each other one is at
# what a window and colours change.
Looks = Sequence[tuple[ViewportSize, Scheme]]
WALKS: tuple[tuple[str, Looks], ...] = (
    ("pt_BR", ((WIDE, "light"), (NARROW, "dark"))),
    ("en", ((WIDE, "dark"), (NARROW, "light"))),
)


async def _looked_at(screen: Screen, spot: Spot, locale: str, looks: Looks) -> list[str]:
    """What is grave about one page; nothing of it may stick out."""
    await screen.visit(spot)
    assert await screen.page.locator("h1").count() == 1, spot.path
    await axe.enter(screen.page)
    grave: list[str] = []
    for window, scheme in looks:
        await screen.page.set_viewport_size(window)
        await screen.page.emulate_media(color_scheme=scheme)
        assert await screen.overflow() <= 0, f"{spot.path} at {window['width']} px"
        partly = (locale, window, scheme) != ("pt_BR", WIDE, "light")
        seen_at = f"{spot.name} at {window['width']} px, {scheme}"
        grave += [f"{seen_at}: {problem}" for problem in await axe.found(screen.page, looks=partly)]
    return grave


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("locale", "looks"), WALKS, ids=[locale for locale, _looks in WALKS])
async def test_every_page_fits_and_complains_of_nothing(locale: str, looks: Looks) -> None:
    tag = locale.replace("_", "-")
    async with site() as s, async_playwright() as playwright:
        browser = await launched(playwright)
        try:
            nobody = await screen_of(s, await browser.new_context(locale=tag))
            (first,) = (spot for spot in PAGES if spot.who == "first")
            grave = await _looked_at(nobody, first, locale, looks)
            await s.person("ana@loja.example", locale=locale)
            await fill(s)
            await rarer.add(s)
            who = await lookers(await entered(s, await browser.new_context()), tag)
            for spot in await spots(s):
                grave += await _looked_at(who[spot.who], spot, locale, looks)
        finally:
            await browser.close()
    assert not grave, "\n".join(grave)
    assert [each.complaints for each in (nobody, *who.values())] == [[], [], [], []]


async def test_the_keyboard_reaches_the_main_action_of_each_page() -> None:
    async with screens() as screen:
        order = await fill(screen.site)
        new = await screen.site.w.row("SELECT id FROM account WHERE status = 'preview' AND channel = 'woocommerce'")
        for path, action in (
            ("/", ".alert a"),
            ("/contas", "a.button.primary"),
            (f"/contas/{new['id']}", "a.button.primary"),
            (f"/contas/{new['id']}/previa", "button.primary"),
            ("/contas/nova?canal=woocommerce", "button.primary"),
            ("/pedidos", 'th[scope="row"] a'),
            (f"/pedidos/{order}", "td a"),
            ("/anuncios", 'th[scope="row"] a'),
            ("/envios", "td a"),
            ("/etiquetas", "td input[type=checkbox]"),
            ("/prazos", 'th[scope="row"] a'),
            ("/prazos?ver=parados", 'th[scope="row"] a'),
            ("/sincronizacao", "details.flows summary"),
            ("/sincronizacao/parados", "td.pick input"),
            ("/sincronizacao/parados/previa?tipo=inbox&escopo=todos", "button.primary"),
        ):
            await screen.open(path)
            await screen.tab_to(action)
        await screen.open("/")
        await screen.page.keyboard.press("Tab")
        assert await screen.page.evaluate("document.activeElement.className") == "skip"
        await screen.page.keyboard.press("Enter")
        assert await screen.page.evaluate("document.activeElement.id") == "conteudo"


async def test_an_account_is_approved_by_keyboard_alone() -> None:
    async with screens() as screen:
        w = screen.site.w
        await fill(screen.site)
        new = await w.row("SELECT id FROM account WHERE status = 'preview' AND channel = 'woocommerce'")
        await screen.open(f"/contas/{new['id']}/previa")
        await screen.tab_to("input[name=seen]")
        await screen.page.keyboard.press("Space")
        await screen.tab_to("button.primary")
        await screen.page.keyboard.press("Enter")
        await screen.page.wait_for_selector(".flash.ok")
        assert (await w.rt.account(w.seller_id, new["id"])).status == "live"


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
async def test_a_sale_arrives_on_the_open_page(viewport: ViewportSize) -> None:
    async with screens(viewport) as screen:
        page = screen.page
        await fill(screen.site)
        await screen.open("/")
        await page.wait_for_selector("#live-state.on")
        before = await page.locator("#feed li").count()
        await sell(screen.site)
        await page.wait_for_selector("#feed li.new", timeout=10_000)
        assert await page.locator("#feed li").count() > before
        row = page.locator("#feed li").first
        assert "PRA-02" in await row.inner_text()
        assert "ms" in await row.inner_text()
        assert await screen.overflow() <= 0
        assert screen.complaints == []


async def test_a_paused_feed_holds_still_and_catches_up() -> None:
    async with screens() as screen:
        page = screen.page
        await fill(screen.site)
        await screen.open("/")
        await page.wait_for_selector("#live-state.on")
        await page.click("#live-pause")
        await sell(screen.site)
        await page.wait_for_timeout(2500)
        assert await page.locator("#feed li.new").count() == 0
        await page.click("#live-pause")
        await page.wait_for_selector("#feed li.new")


async def test_without_script_everything_is_there() -> None:
    async with screens(javascript=False) as screen:
        page = screen.page
        order = await fill(screen.site)
        await screen.open("/")
        assert await page.locator("#feed li").count() > 0
        await screen.open(f"/pedidos/{order}")
        await page.click("details.who summary")
        await page.click('button[value="en"]')
        await page.wait_for_url(f"**/pedidos/{order}")
        assert await page.get_attribute("html", "lang") == "en"
        await page.click("details.who summary")
        await page.click('form[action="/sair"] button.button')
        await page.wait_for_selector("#password")
