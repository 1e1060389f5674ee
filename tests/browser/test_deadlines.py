"""Envios e prazos in a real Chromium: wide and narrow, seen where BALCAO_TEST_PICTURES says."""

import os
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize

from tests.browser.shop import fill
from tests.browser.test_pages import CHROMIUM, NARROW, WIDE, screens

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]
PICTURES = os.environ.get("BALCAO_TEST_PICTURES")  # a folder to keep what was seen


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1280", "360"])
async def test_deadlines_are_worked_by_keyboard_and_fit(viewport: ViewportSize) -> None:
    async with screens(viewport) as screen:
        await fill(screen.site)
        for name, path in (("prazos", "/prazos"), ("parados", "/prazos?ver=parados"), ("painel", "/")):
            await screen.open(path)
            assert await screen.overflow() <= 0, path
            if PICTURES:
                shot = Path(PICTURES) / f"{name}-{viewport['width']}.png"
                await screen.page.screenshot(path=shot, full_page=True)
        await screen.open("/prazos")
        await screen.tab_to('a[href="/prazos?ver=parados"]')
        await screen.page.keyboard.press("Enter")
        await screen.page.wait_for_url("**/prazos?ver=parados")
        await screen.tab_to('th[scope="row"] a')
        assert screen.complaints == []
