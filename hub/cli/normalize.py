"""`balcao normalize`: a channel's document as canonical JSON. No database, no network."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.cli import page
from hub.cli.refusals import REFUSED, Wrong, tell


class Facet(StrEnum):
    """What the file holds."""

    ORDER = "order"
    LISTING = "listing"
    NOTICE = "notice"
    TRACKING = "tracking"
    STOCK_RESPONSE = "stock_response"


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command("normalize")(normalize)


def normalize(
    channel: str,
    facet: Facet,
    file: Annotated[Path, typer.Argument(help="- is stdin.")],
    *,
    code: Annotated[
        list[str] | None, typer.Option("--code", help="Of tracking: a code that was asked; repeat it.")
    ] = None,
) -> None:
    """Print a channel's document as canonical JSON.

    Exit status 2 when it cannot be read, 3 when a notice's signature is refused.
    """
    import adapters
    from hub import normalize as canonical
    from hub.faults import BadSignature, ChannelError

    try:
        adapter = adapters.get(channel)
    except KeyError as problem:
        raise Wrong(str(problem.args[0])) from None
    if code and facet is not Facet.TRACKING:
        raise Wrong("--code belongs to tracking only.")
    body = page.read_file(file)
    try:
        if facet is Facet.TRACKING:
            told = canonical.tracking(adapter, canonical.text_or_json(body), code or ())
        else:
            told = canonical.FACETS[facet](adapter, canonical.document(body))
    except BadSignature as problem:
        tell(f"{file}: the signature is refused: {problem}")
        raise typer.Exit(REFUSED) from None
    except canonical.NoFacet as problem:
        raise Wrong(str(problem)) from None
    except ChannelError as problem:
        raise Wrong(f"{file}: {problem.detail}") from None
    page.write_json(told)
