"""Sellers (lojistas)."""

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli import page
from hub.cli.desk import serve
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from jobs.runtime import Runtime

app = typer.Typer(help="Sellers (lojistas).")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the seller is called.")], *, as_json: page.AsJson = False
) -> None:
    """Add a seller, with a first warehouse."""
    called = " ".join(name.split())
    if not called:
        raise Wrong("NAME is empty: a seller needs a name.")

    async def work(rt: "Runtime") -> dict[str, object]:
        from hub.store import people
        from jobs.connect import seller_add

        async with rt.db.dispatch() as tx:
            if called.casefold() in {row["name"].casefold() for row in await people.sellers(tx)}:
                raise Wrong(f"there is a seller called {called!r} already.")
        return {"seller_id": await seller_add(rt, called), "name": called}

    made = serve(work)
    if as_json:
        page.write_json(made)
    else:
        page.line(f"{made['name']}: {made['seller_id']}")


@app.command("list")
def list_(*, as_json: page.AsJson = False) -> None:
    """List the sellers of this installation."""

    async def work(rt: "Runtime") -> list[dict[str, object]]:
        from hub.store import people

        async with rt.db.dispatch() as tx:
            return list(await people.sellers(tx))

    page.rows(
        serve(work),
        ["seller_id=id", "name"],
        as_json=as_json,
        empty="There is no seller yet: make one with `balcao seller add NAME`.",
    )
