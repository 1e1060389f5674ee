"""People who sign in."""

import re
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="People who sign in.")
SHORTEST = 8
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Role(StrEnum):
    """What somebody may do for a seller."""

    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    WAREHOUSE = "warehouse"
    VIEWER = "viewer"


@app.command("add")
def add(
    email: str,
    *,
    name: Annotated[str | None, typer.Option(help="What the person is called.")] = None,
    password: Annotated[
        str | None,
        typer.Option(help="Seen in the process list and the shell's history: better is the prompt."),
    ] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    role: Annotated[Role, typer.Option(help="What they may do for the seller.")] = Role.OWNER,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Let somebody work for a seller; the password is asked for. One who is there already gets the role."""
    if not ADDRESS.fullmatch(email):
        raise Wrong(f"EMAIL is {email!r}, which is no e-mail address.")
    if password is not None and password_stdin:
        raise Wrong("give --password or --password-stdin, not both.")
    typed = sys.stdin.readline().rstrip("\r\n") if password_stdin else password

    async def work(desk: Desk) -> dict[str, object]:
        from argon2 import PasswordHasher

        from hub.store import people
        from jobs import members

        async with desk.rt.db.people() as tx:
            known = await people.user_by_email(tx, email)
        if known:
            await members.may_get(desk.rt, desk.seller_id, known.id, role)
        secret = typed if typed is not None or known else _asked()
        user_id = known.id if known else None
        if secret is not None:
            if len(secret) < SHORTEST:
                raise Wrong(f"the password is too short: at least {SHORTEST} characters.")
            called = name or (known.name if known else email.partition("@")[0])
            async with desk.rt.db.people() as tx:
                user_id = await people.user_put(
                    tx, email, called, PasswordHasher().hash(secret), known.locale if known else "pt_BR"
                )
        if user_id is None:
            raise Wrong("the password is missing.")
        await members.put(desk.rt, desk.seller_id, user_id, role)
        return {
            "user_id": user_id,
            "email": email.lower(),
            "seller": desk.seller,
            "role": role.value,
            "is_new": known is None,
            "password_set": secret is not None,
        }

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    page.line(f"{made['email']} works for {made['seller']} as {made['role']}.")
    if not made["is_new"] and made["password_set"]:
        page.line("The password is changed; they are signed out everywhere.")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the people who may work for a seller, and what they may do."""

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import people

        async with desk.tx() as tx:
            return await people.members(tx)

    page.rows(
        at_desk(seller, work), ["email", "name", "role", "active", "created_at=since"], as_json=as_json,
        empty="Nobody may sign in for this seller yet: `balcao user add EMAIL`.",
    )  # fmt: skip


@app.command("reset-factor")
def reset_factor(email: str, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Take somebody's second factor away who lost it: they sign in with the password alone, and set up a new one."""

    async def work(desk: Desk) -> dict[str, object]:
        from hub.store import people
        from jobs import two_factor

        async with desk.tx() as tx:
            rows = await people.members(tx)
        found = next((row for row in rows if row["email"] == email.strip().lower()), None)
        if found is None:
            raise Wrong(f"nobody of {desk.seller} has the e-mail {email!r}: `balcao user list` has them.")
        if not await two_factor.reset(desk.rt, desk.seller_id, found["user_id"]):
            raise Wrong(f"{found['email']} has no second factor.")
        return {"user_id": found["user_id"], "email": found["email"]}

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
        return
    page.line(f"{made['email']} signs in with the password alone; they are signed out everywhere.")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise Wrong("the password is missing: type it on a terminal, or give it with --password-stdin.")
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked
