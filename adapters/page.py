"""docs/channels.md, computed from the adapters: `python -m adapters.page` writes it anew."""

from pathlib import Path

import adapters
from hub.contract import Adapter
from hub.model import Limit

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "channels.md"
PAYLOAD_FILES = HERE.parent / "tests" / "adapters"
LEAST = 5  # payloads of a facet
PAYLOADS = {
    "webhook": "notice",
    "orders": "order",
    "listings": "listing",
    "stock": "stock_response",
    "tracking": "tracking",
    "freight": "quote",
}

HEAD = """\
# Channels

Computed by `python -m adapters.page`; do not edit. How to add one: [ADDING_A_CHANNEL.md](ADDING_A_CHANNEL.md).

*Ready* is a fact, not an opinion: every facet has at least {least} payload files in `tests/adapters/`, and the channel
has a sandbox that the contract suite sells, cancels and breaks things on. Whatever is missing makes it a *Draft*.

| Channel | Kind | Level | Can | Notices | Answered within | Payloads |
|---|---|---|---|---|---|---|
"""


def names() -> list[str]:
    """The channels of this repository."""
    return [name for name in adapters.names() if (HERE / name).is_dir()]


def payloads(name: str) -> dict[str, int]:
    """How many payload files each facet has; a facet that takes none is left out."""
    facets = (facet for facet in adapters.get(name).can() if facet in PAYLOADS)
    return {facet: len(list((PAYLOAD_FILES / name / PAYLOADS[facet]).glob("*.json"))) for facet in facets}


def missing(name: str) -> list[str]:
    """What keeps a channel from being ready."""
    few = [f"{count} of {LEAST} {PAYLOADS[facet]} payloads" for facet, count in payloads(name).items() if count < LEAST]
    return few + ([] if (HERE / name / "sandbox.py").exists() else ["no sandbox"])


def level(name: str) -> str:
    """Ready or Draft."""
    return "Draft" if missing(name) else "Ready"


def _row(name: str) -> str:
    adapter = adapters.get(name)
    webhook = adapter.webhook
    cells = (
        f"[{adapter.label}](#{name})",
        adapter.kind.value,
        level(name),
        ", ".join(adapter.can()),
        "" if webhook is None else "not signed" if webhook.signed == "none" else "signed",
        f"{webhook.deadline_ms} ms" if webhook else "",
        str(sum(payloads(name).values())),
    )
    return f"| {' | '.join(cell or '-' for cell in cells)} |"


def _limit(limit: Limit) -> str:
    what = f" for `{limit.operation}`" if limit.operation else ""
    doubt = " (assumed: the vendor publishes no figure)" if limit.assumed else ""
    return f"{limit.burst} requests in {limit.seconds:g} s per {limit.per}{what}{doubt}"


def _notices(adapter: Adapter) -> list[str]:
    webhook = adapter.webhook
    if webhook is None:
        return ["Notices: none, it is asked"]
    who = "one callback serves all accounts of the application" if webhook.per == "app" else "a callback per account"
    how = "not signed: the body is a hint, what it names is fetched" if webhook.signed == "none" else webhook.signed
    made = "registered by the hub" if adapter.registers() else "registered by hand at the vendor"
    asked = ["Undelivered notices are read from the vendor's own list"] if webhook.missed else []
    return [f"Notices: {how}", f"{who}, {made}; answered within {webhook.deadline_ms} ms", *asked]


def _numbers(adapter: Adapter) -> list[str]:
    sink = adapter.stock
    if sink is None:
        return []
    batch = f"{sink.batch} in a call" if sink.batch > 1 else "one by one"
    return [f"Stock: {sink.numbers} units, written {batch}"]


def _section(name: str) -> str:
    adapter = adapters.get(name)
    counted = ", ".join(f"{count} {PAYLOADS[facet]}" for facet, count in payloads(name).items())
    renewed = ", each good for one use" if adapter.token and adapter.token.single_use else ""
    token = [f"Signs in with tokens that are renewed{renewed}"] if adapter.token else ["Signs in with a static key"]
    facts = [
        *token,
        *(f"Limit: {_limit(limit)}" for limit in adapter.limits),
        *_notices(adapter),
        *_numbers(adapter),
        f"Payload files: {counted}",
        *([f"Missing: {', '.join(missing(name))}"] if missing(name) else []),
    ]
    head = f'<a id="{name}"></a>\n\n## {adapter.label}\n\n`{name}` · {adapter.kind.value} · <{adapter.docs}>\n\n'
    return head + "".join(f"* {fact}\n" for fact in facts)


def text() -> str:
    """The whole page."""
    rows = "".join(f"{_row(name)}\n" for name in names())
    return HEAD.format(least=LEAST) + rows + "".join(f"\n{_section(name)}" for name in names())


if __name__ == "__main__":
    PAGE.write_text(text())
