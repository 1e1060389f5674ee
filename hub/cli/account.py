"""Accounts: a seller's connections to channels."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Failed, Wrong, tell

if TYPE_CHECKING:
    from hub.store.accounts import Account

app = typer.Typer(help="Accounts: a seller's connections to channels.")
Named = Annotated[str, typer.Argument(metavar="ACCOUNT", help="By id, name or channel.")]
Told = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A credential; KEY=@FILE reads a file, KEY=- stdin, KEY=@@x means @x.",
    ),
]
LONGEST = 64 * 1024
Words = dict[str, Any]


def credentials(words: list[str]) -> dict[str, str]:
    """KEY=VALUE words, with files and stdin read. What is wrong is named by its place, never by its value."""
    found: dict[str, str] = {}
    for place, word in enumerate(words, start=1):
        key, equals, value = word.partition("=")
        key = key.strip()
        if not equals or not key.replace("_", "").isalnum():
            raise Wrong(f"the {place}. --set is not KEY=VALUE, as in --set store_url=https://loja.example.")
        if key in found:
            raise Wrong(f"--set {key} is given twice.")
        found[key] = _value(key, value)
    return found


def _value(key: str, told: str) -> str:
    if told.startswith("@@"):
        return told[1:]
    if told == "-":
        if "stdin" in sys.stdin.name and sys.stdin.isatty():
            return str(typer.prompt(key, hide_input=True, err=True))
        return sys.stdin.read(LONGEST).rstrip("\r\n")
    if not told.startswith("@"):
        return told
    try:
        return Path(told[1:]).expanduser().read_bytes()[:LONGEST].decode("utf-8-sig").rstrip("\r\n")
    except OSError as problem:
        raise Wrong(f"--set {key}: {told[1:]} cannot be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise Wrong(f"--set {key}: {told[1:]} is not text in UTF-8.") from None


def row_of(account: "Account") -> Words:
    """An account without anything secret."""
    return {
        "id": account.id,
        "channel": account.channel,
        "name": account.name,
        "external_id": account.external_id,
        "status": account.status,
        "held_reason": account.held_reason,
        "stock_role": account.stock_role,
        "braked_at": account.braked_at,
    }


@app.command("add")
def add(
    channel: str,
    *,
    told: Told = [],  # noqa: B006 - Typer reads it, nobody changes it
    name: Annotated[str | None, typer.Option(help="What you call it; the channel's name when not given.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not ask the channel who we are there.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Connect an account, in preview: everything is read, nothing is written there until you approve it."""
    from jobs.connect import adapter_named

    adapter_named(channel)
    given = credentials(told)

    async def work(desk: Desk) -> Words:
        from jobs.connect import account_add

        if name and name.casefold() in {account.name.casefold() for account in await desk.accounts()}:
            raise Wrong(f"there is an account called {name!r} already: choose another --name.")
        made = await account_add(desk.rt, desk.seller_id, channel, given, name=name, check=not no_check)
        account = await desk.rt.account(desk.seller_id, made.account_id)
        return {
            **row_of(account),
            "webhook_url": made.webhook_url,
            "problem": made.problem,
            "known_as": made.identity.name if made.identity else None,
        }

    made = at_desk(seller, work)
    if as_json:
        page.write_json(made)
    else:
        _tell_made(channel, made)
    if made["problem"]:
        tell(f"{made['problem']} (mend it with `balcao account set {made['id']} --set KEY=VALUE`)")
        raise typer.Exit(1)


def _tell_made(channel: str, made: Words) -> None:
    import adapters

    page.line(f"account  {made['id']}  ({made['name']}, {made['status']})")
    if made["known_as"]:
        page.line(f"there    {made['known_as']} ({made['external_id']})")
    adapter = adapters.get(channel)
    if adapter.webhook is None:
        return
    if made["webhook_url"].startswith("/"):
        page.line(f"webhook  {made['webhook_url']}, under BALCAO_PUBLIC_URL once that is set; polled until then")
    else:
        page.line(f"webhook  {made['webhook_url']}")
    if not adapter.registers():
        page.line(f"Type this address into {channel}'s own panel: it cannot be registered for you.")
    if made["status"] == "preview":
        page.line(f"Next: balcao account preview {made['id']}, then balcao account approve {made['id']}")


@app.command("set")
def set_(
    named: Named,
    *,
    told: Told = [],  # noqa: B006 - as above
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not ask the channel who we are there.")] = False,
    seller: Seller = None,
) -> None:
    """Give an account other credentials of the same shop; those not named stay."""
    given = credentials(told)
    if not given:
        raise Wrong("nothing is set: give at least one --set KEY=VALUE.")

    async def work(desk: Desk) -> tuple["Account", str | None]:
        from jobs.admission import Turned, kept_fields, readmit
        from jobs.connect import account_reseal, read_credentials

        account = await desk.account(named)
        if no_check:
            await account_reseal(desk.rt, account, given)
            return account, None
        told = {**await kept_fields(desk.rt, account), **given}
        try:  # whose they are is asked first: those of another shop replace nothing
            made = await readmit(desk.rt, account, read_credentials(desk.rt.adapter(account.channel), told))
        except Turned as refusal:
            return account, str(refusal)
        return made.account, None

    account, problem = at_desk(seller, work)
    if problem:
        raise Failed(problem)
    page.line(f"{account.name} has its new credentials: {', '.join(sorted(given))}.")
    if account.status == "held":
        page.line(f"It is held: balcao account resume {account.id} lets it go on.")


@app.command("list")
def list_(*, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List the accounts."""

    async def work(desk: Desk) -> list[Words]:
        return [row_of(account) for account in await desk.accounts()]

    page.rows(
        at_desk(seller, work),
        ["id", "channel", "name", "external_id", "status", "held_reason", "stock_role"],
        as_json=as_json,
        empty="There is no account yet: connect one with `balcao account add CHANNEL`.",
    )


@app.command("check")
def check(named: Named, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Ask the channel who we are there."""

    async def work(desk: Desk) -> Words:
        from jobs.connect import account_check

        account = await desk.account(named)
        identity, problem = await account_check(desk.rt, account)
        told = {"external_id": identity.external_id, "known_as": identity.name} if identity else {}
        return {
            "id": account.id,
            "channel": account.channel,
            "name": account.name,
            **told,
            "problem": problem,
        }

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    if told["problem"]:
        raise Failed(told["problem"])
    if not as_json:
        page.line(f"{told['name']} ({told['channel']}) is {told['known_as']} ({told['external_id']}).")


@app.command("hold")
def hold(
    named: Named,
    *,
    reason: Annotated[str, typer.Option(help="Shown wherever the account is.")] = "held by a person",
    seller: Seller = None,
) -> None:
    """Stop talking to an account until it is resumed; its work is kept."""

    async def work(desk: Desk) -> str:
        from jobs.connect import pause

        account = await desk.account(named)
        await pause(desk.rt, account, reason)
        return account.name

    page.line(f"{at_desk(seller, work)} is on hold.")


@app.command("resume")
def resume(named: Named, *, seller: Seller = None) -> None:
    """Go on with an account that is held, or whose zeros the brake holds."""

    async def work(desk: Desk) -> tuple[str, str]:
        from jobs.connect import resume as go_on

        account = await desk.account(named)
        return account.name, await go_on(desk.rt, account)

    name, status = at_desk(seller, work)
    page.line(f"{name} is {status}.")


@app.command("subscribe")
def subscribe(named: Named, *, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """Register this account's webhooks at its channel, and mend what the channel switched off."""

    async def work(desk: Desk) -> list[str]:
        from jobs.hooks import Unregistered, register

        account = await desk.account(named)
        try:
            return await register(desk.rt, account)
        except Unregistered as refusal:
            raise Wrong(
                {
                    "no_webhooks": f"{account.channel} sends no webhooks: it is polled.",
                    "no_address": "BALCAO_PUBLIC_URL is not set: channels have no address to send notices to.",
                    "by_hand": f"{account.channel} has no call for this: type {refusal.url} into its own panel.",
                    "not_live": f"{account.name} is {account.status}: only a live account's hooks are registered.",
                }[refusal.why]
            ) from None

    done = at_desk(seller, work)
    if as_json:
        page.write_json({"done": done})
    for action in () if as_json else done or ["Everything was right already."]:
        page.line(action)
