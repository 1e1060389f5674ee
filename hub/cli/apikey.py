"""Keys of the REST API."""

from typing import Annotated
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Keys of the REST API.")
LONGEST = 80


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Which program uses it.")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do, as `apikey scopes` lists; may be given again.")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Make a key. It is printed this once: only its hash is kept."""
    from hub.web.scopes import unknown

    called = " ".join(name.split())[:LONGEST]
    if not called:
        raise Wrong("NAME is empty: say which program uses the key.")
    scopes = list(dict.fromkeys(scope or ["stock:read"]))
    if wrong := unknown(scopes):
        raise Wrong(f"--scope: there is no scope {wrong[0]!r}: `balcao apikey scopes` lists them.")

    async def work(desk: Desk) -> dict[str, object]:
        from hub.secrets import new_token, token_hash
        from hub.store import api_keys, stock

        key = f"balcao_{new_token()}"
        async with desk.tx() as tx:
            made = await api_keys.add(tx, called, token_hash(key), scopes)
            await stock.audit(tx, "apikey_add", str(made), name=called, scopes=scopes)
        return {"id": made, "name": called, "scopes": scopes, "key": key}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    page.line(f"{made['key']}")
    page.line(f"Keep it now: it is not shown again. Its id is {made['id']} ({', '.join(scopes)}).")


@app.command("scopes")
def scopes(*, as_json: page.AsJson = False) -> None:
    """List what a key may be allowed to do."""
    from hub.web.i18n import Language
    from hub.web.scopes import SCOPES

    words = Language("en")
    rows = [{"scope": name, "allows": words.gettext(told)} for name, told in SCOPES.items()]
    page.rows(rows, ["scope", "allows"], as_json=as_json, empty="")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the keys, without what they are."""

    async def work(desk: Desk) -> list[dict[str, object]]:
        from hub.store import api_keys

        async with desk.tx() as tx:
            return await api_keys.every(tx)

    page.rows(
        at_desk(seller, work),
        ["id", "name", "scopes", "maker=made by", "maker_role", "created_at", "last_used_at", "revoked_at"],
        as_json=as_json,
        empty="There is no key yet: `balcao apikey add NAME` makes one.",
    )


@app.command("revoke")
def revoke(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `balcao apikey list` tells it.")],
    *,
    seller: Seller = None,
) -> None:
    """Take a key out of force, for good and at once."""

    async def work(desk: Desk) -> None:
        from hub.store import api_keys, stock

        async with desk.tx() as tx:
            if not await api_keys.revoke(tx, key_id):
                raise Wrong(f"there is no key {key_id} in force: `balcao apikey list` has them.")
            await stock.audit(tx, "apikey_revoke", str(key_id))

    at_desk(seller, work)
    page.line("The key is out of force.")
