"""`python -m tests.browser.screens`: a picture of every page of the walk, wide and narrow, for docs/screens.

A picture that shows the same as the one that is there, but for times and other small things, is left as it is.
"""

import argparse
import asyncio
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageChops
from playwright.async_api import ViewportSize, async_playwright

from tests.browser import rarer
from tests.browser.shop import fill
from tests.browser.test_pages import CHROMIUM, NARROW, WIDE, Screen, entered, launched, lookers, screen_of
from tests.browser.walk import PAGES, Spot, spots
from tests.web.site import site

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
WINDOWS: tuple[ViewportSize, ...] = (WIDE, NARROW)
EXTRA = {"painel-escuro", "pedido-en"}  # beside those of the walk
COLOURS = 64
TALLEST = {1280: 1800, 360: 2600}  # what is further down is left out, unless asked for whole
LIMIT = 16_000  # a WebP has at most 16383 pixels a side
SAME = 0.012  # of its pixels at most differ between two pictures that show the same
HEAD = """# How it looks

Pictures of every page, made by `make screens` from the shop of tests/browser with its sandboxed channels: at 1280 and
at 360 pixels, in Portuguese; in the end one in the dark and one in English.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One page as it was pictured."""

    spot: Spot
    title: str


async def _pictured(screen: Screen, spot: Spot, folder: Path, *, whole: bool, redo: bool) -> Shown:
    for window in WINDOWS:
        await screen.page.set_viewport_size(window)
        await screen.visit(spot)
        tall = await screen.page.evaluate("document.documentElement.scrollHeight")
        height = min(tall, LIMIT if whole else TALLEST[window["width"]])
        # As tall as the page: what sticks to the window's edge stands at the picture's.
        await screen.page.set_viewport_size(ViewportSize(width=window["width"], height=max(height, window["height"])))
        told = await screen.page.screenshot(animations="disabled")
        _keep(told, folder / f"{spot.name}-{window['width']}.webp", redo=redo)
    return Shown(spot, (await screen.page.title()).removesuffix(" · Balcão"))


def _keep(png: bytes, path: Path, *, redo: bool) -> None:
    made = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    if redo or not path.exists() or not _same(made, Image.open(path).convert("RGB")):
        made.save(path, lossless=True, quality=75, method=4)


def _same(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    differs = ImageChops.difference(one, other).convert("L").point(lambda value: 255 if value > 40 else 0)
    return differs.histogram()[255] <= SAME * one.width * one.height


def _index(shown: Sequence[Shown], folder: Path) -> None:
    lines = [HEAD]
    for each in shown:
        wide, narrow = (
            f'<img src="{each.spot.name}-{width}.webp" width="{shown_as}" alt="{each.title}, {width} px">'
            for width, shown_as in ((1280, 640), (360, 180))
        )
        lines.append(f"## {each.title}\n\n{wide} {narrow}\n")
    (folder / "README.md").write_text("\n".join(lines))
    known = {f"{each.spot.name}-{window['width']}.webp" for each in shown for window in WINDOWS}
    for path in folder.glob("*.webp"):
        if path.name not in known:
            path.unlink()


@dataclass
class Studio:
    """Where pictures are made: which pages are wanted, where they go, and what is there so far."""

    folder: Path
    names: Sequence[str]
    whole: bool
    redo: bool
    shown: list[Shown] = field(default_factory=list)

    @property
    def is_all(self) -> bool:
        """Whether the folder is to hold what docs/screens holds."""
        return not self.names and not self.whole

    async def take(self, screen: Screen, spots_: Iterable[Spot]) -> None:
        """Picture those of them that are wanted."""
        for spot in spots_:
            if spot.name in self.names or (not self.names and (spot.pictured or self.whole)):
                made = await _pictured(screen, spot, self.folder, whole=self.whole, redo=self.redo)
                self.shown.append(made)


async def picture(studio: Studio) -> None:
    """Make them. With names, or of whole pages, no index is written."""
    async with site() as s, async_playwright() as playwright:
        browser = await launched(playwright)
        try:
            await studio.take(
                await screen_of(s, await browser.new_context(color_scheme="light", locale="pt-BR")),
                (each for each in PAGES if each.who == "first"),
            )
            await s.person("ana@loja.example")
            await s.person("ann@loja.example", name="Ann Lima", locale="en")
            await fill(s)
            await rarer.add(s)
            ana = await entered(s, await browser.new_context(color_scheme="light", locale="pt-BR"))
            await ana.page.get_by_role("button", name="Guardar").click()  # the first steps, which hide the rest
            await ana.page.wait_for_selector(".flash")
            who, found = await lookers(ana, "pt-BR"), await spots(s)
            for spot in found:
                await studio.take(who[spot.who], (spot,))
            if studio.is_all or EXTRA & set(studio.names):
                dark = await entered(s, await browser.new_context(color_scheme="dark", locale="pt-BR"))
                ann = await entered(s, await browser.new_context(color_scheme="light"), "ann@loja.example")
                order = next(spot for spot in found if spot.name == "pedido")
                await studio.take(dark, (Spot("painel-escuro", "/"),))
                await studio.take(ann, (Spot("pedido-en", order.path),))
        finally:
            await browser.close()
    if studio.is_all:
        _index(studio.shown, studio.folder)


def main() -> None:
    """Make the pictures of docs/screens, or some of them elsewhere."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screens", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="page", help="names as in tests/browser/walk.py (default: all)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to (default: docs/screens)")
    parser.add_argument("--whole", action="store_true", help="whole pages, also those of the walk that have no picture")
    parser.add_argument("--redo", action="store_true", help="also where the picture there shows the same")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if CHROMIUM is None:
        parser.error("no chromium on this machine: apt-get install chromium")
    studio = Studio(asked.folder, asked.names, asked.whole, asked.redo)
    asyncio.run(picture(studio))
    print(f"{len(studio.shown)} pages pictured in {asked.folder}")


if __name__ == "__main__":
    main()
