"""The channels that this installation knows, computed from their adapters."""

from typing import TYPE_CHECKING, Any

import typer

from hub.cli import page

if TYPE_CHECKING:
    from hub.contract import Adapter

app = typer.Typer(help="The channels that can be connected.")


def described(name: str, adapter: "Adapter") -> dict[str, Any]:
    """What an adapter declares, as plain values."""
    hooks = adapter.webhook
    fields = adapter.credentials.model_json_schema()["properties"]
    required = {key for key, field in adapter.credentials.model_fields.items() if field.is_required()}
    return {
        "channel": name,
        "label": adapter.label,
        "kind": adapter.kind.value,
        "facets": list(adapter.can()),
        "signature": hooks.signed if hooks else None,
        "callback_per": hooks.per if hooks else None,
        "ack_deadline_ms": hooks.deadline_ms if hooks else None,
        "auth": "oauth" if adapter.oauth else "token" if adapter.token else "key",
        "stock_numbers": adapter.stock.numbers if adapter.stock else None,
        "limits": [
            {
                "burst": limit.burst,
                "seconds": limit.seconds,
                "per": limit.per,
                "operation": limit.operation,
                "assumed": limit.assumed,
            }
            for limit in adapter.limits
        ],
        "fields": [
            {
                "name": key,
                "title": field.get("title", key),
                "required": key in required,
                "secret": "writeOnly" in str(field),
            }
            for key, field in fields.items()
        ],
        "docs": adapter.docs,
    }


def limit_words(limit: dict[str, Any]) -> str:
    """A limit for a person; the assumed ones say so."""
    what = f" {limit['operation']}" if limit["operation"] else ""
    assumed = " (assumed)" if limit["assumed"] else ""
    return f"{limit['burst']}/{limit['seconds']:g} s per {limit['per']}{what}{assumed}"


@app.command("list")
def list_(*, as_json: page.AsJson = False) -> None:
    """List the channels: what each can do, how its notices are signed, how often it may be called."""
    import adapters

    found = [described(name, adapters.get(name)) for name in adapters.names()]
    if as_json:
        page.write_json(found)
        return
    for row in found:
        row["limits"] = "; ".join(map(limit_words, row["limits"]))
        row["ack"] = f"{row['ack_deadline_ms']} ms" if row["ack_deadline_ms"] else None
    page.rows(
        found,
        ["channel", "label", "kind", "facets", "signature", "ack", "limits"],
        as_json=False,
        empty="There is no channel.",
    )


@app.command("show")
def show(channel: str, *, as_json: page.AsJson = False) -> None:
    """Show what a channel asks for to be connected, and what it can do."""
    from jobs.connect import adapter_named

    told = described(channel, adapter_named(channel))
    if as_json:
        page.write_json(told)
        return
    page.line(f"{told['label']} ({told['kind']}), {told['docs']}")
    page.line(f"can: {', '.join(told['facets'])}")
    for limit in told["limits"]:
        page.line(f"limit: {limit_words(limit)}")
    page.console().print(page.table(told["fields"], ["name=--set", "title", "required", "secret"]))
