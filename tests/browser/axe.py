"""What axe-core finds wrong with a page. Its script comes with a package of PyPI and is run past our CSP."""

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import Page

GRAVE = ("serious", "critical")
OPTIONS = {"resultTypes": ["violations"], "iframes": False, "preload": False}
# What a window's width and the colours change; everything else is as it was in the page's first look.
LOOKS = ("color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable")
RUN = """options => axe.run(document, options).then(told => told.violations.flatMap(rule =>
    rule.nodes.map(node => [rule.impact, rule.id, node.target.flat().join(" "), node.failureSummary])))"""


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


async def enter(page: Page) -> None:
    """Bring axe-core into the page; it stays until the page is left."""
    await page.evaluate(_script())


async def found(page: Page, *, looks: bool = False) -> list[str]:
    """Serious and critical violations of the page as it stands, a line each; `looks`: of width and colours alone."""
    options = {**OPTIONS, "runOnly": list(LOOKS)} if looks else OPTIONS
    told: list[list[Any]] = await page.evaluate(RUN, options)
    return [
        f"{rule} ({impact}) at {where}: {' '.join((summary or '').split())}"
        for impact, rule, where, summary in told
        if impact in GRAVE
    ]
