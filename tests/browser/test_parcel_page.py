"""A buyer's page in a real Chromium, without script: wide and narrow."""

import os
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize, async_playwright

from hub.model import TrackingStatus
from tests.browser.test_pages import CHROMIUM, NARROW, WIDE, launched
from tests.web.site import site
from tests.web.test_parcel_page import scan, sent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
PICTURES = os.environ.get("BALCAO_TEST_PICTURES")  # a folder to keep what was seen


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
async def test_a_buyers_page_fits_and_needs_no_script(viewport: ViewportSize) -> None:
    async with site() as s, async_playwright() as playwright:
        path = await sent(s, TrackingStatus.OUT_FOR_DELIVERY)
        await scan(s.w, TrackingStatus.IN_TRANSIT, 20, "Objeto em transferência", "Unidade de Tratamento - CAJAMAR")
        browser = await launched(playwright)
        try:
            context = await browser.new_context(viewport=viewport, java_script_enabled=False, locale="pt-BR")
            page = await context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            for name, address in (("parcel", path), ("parcel-en", f"{path}?idioma=en"), ("none", "/r/none")):
                await page.goto(s.base + address)
                assert await page.locator("h1").count() == 1
                box = await page.locator("html").bounding_box()
                assert box is not None
                assert box["width"] <= viewport["width"]
                if PICTURES:
                    await page.screenshot(path=Path(PICTURES) / f"{name}-{viewport['width']}.png", full_page=True)
            assert [told for told in complaints if "404" not in told] == []
        finally:
            await browser.close()
