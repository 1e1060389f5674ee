"""What a browser calls itself, in a few words. Pure."""

import re

# The first that fits; those that claim to be another stand before it.
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl/", "curl"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
LONGEST = 60


def device_of(agent: str) -> str:
    """`Firefox · Windows`; the header's own first word where nothing is known; empty for no header."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    told = " · ".join(filter(None, (browser, system)))
    return told or re.sub(r"[^\w./ -]", "", agent.partition(" ")[0])[:LONGEST]
