"""Buyers' e-mail: by which accounts, in which words, and what became of each."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong

app = typer.Typer(help="Buyers' e-mail: on dispatch, out for delivery, waiting for pickup, delivered.")
LANGS = {"pt-BR": "pt_BR", "en": "en"}
STATES = ("due", "sending", "sent", "doubt", "skipped", "failed")
Lang = Annotated[str, typer.Option("--lang", help="pt-BR or en.")]
EventName = Annotated[
    str, typer.Argument(metavar="EVENT", help="dispatched, out_for_delivery, awaiting_pickup or delivered.")
]


def _event(told: str) -> str:
    from hub.buyer_mail import EVENTS

    if told not in EVENTS:
        raise Wrong(f"EVENT {told!r} is not one of: {', '.join(EVENTS)}.")
    return told


def _locale(told: str) -> str:
    if told not in LANGS:
        raise Wrong(f"--lang {told!r} is not one of: {', '.join(LANGS)}.")
    return LANGS[told]


@app.command("account")
def account(
    named: Annotated[str, typer.Argument(metavar="ACCOUNT", help="By id, name or channel.")],
    *,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether its buyers get e-mail from now on.")] = None,
    relays: Annotated[
        bool | None,
        typer.Option("--relays/--no-relays", help="Also to addresses that a marketplace makes up and forwards."),
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="pt-BR or en.")] = None,
    reply_to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where buyers' answers go; an empty one: nowhere of its own.")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Turn an account's buyers' e-mail on or off; without options, show it."""
    locale = _locale(lang) if lang else None

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs.mails import set_mail

        found = await desk.account(named)
        wish = await set_mail(desk.rt, found, on=on, relays=relays, locale=locale, reply_to=reply_to)
        told: dict[str, Any] = {"account": found.name, "on": wish is not None}
        if wish:
            told |= {"since": wish.since, "relays": wish.relays, "locale": wish.locale, "reply_to": wish.reply_to}
        return told

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    elif not told["on"]:
        page.line(f"{told['account']}: its buyers get no e-mail")
    else:
        relayed = "also" if told["relays"] else "not"
        page.line(
            f"{told['account']}: its buyers get e-mail in {told['locale'].replace('_', '-')} since "
            f"{page.word(told['since'])}, {relayed} to a marketplace's forwarding addresses"
        )


@app.command("preview")
def preview(
    event: EventName,
    *,
    lang: Lang = "pt-BR",
    order: Annotated[str | None, typer.Option(help="With what is known of this order; else with samples.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Print the HTML part.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Print an e-mail as a buyer would get it. Nothing is sent."""
    wanted, locale = _event(event), _locale(lang)

    async def work(desk: Desk) -> dict[str, str]:
        from hub import buyer_mail, parcel_link
        from hub.cli.orders import found
        from hub.store import deadlines, mails
        from jobs.mails import fields

        told: dict[str, str | None] = dict(buyer_mail.SAMPLE[locale])
        known = await found(desk, order) if order else None
        async with desk.tx() as tx:
            shipping = await deadlines.shipping(tx)
            template = (await mails.templates(tx)).get((wanted, locale)) or buyer_mail.TEMPLATES[locale][wanted]
            told["store"] = shipping["name"]
            if known:
                shipment_id = await mails.parcel_of_order(tx, known["id"])
                facts = await mails.facts(tx, known["id"], shipment_id) if shipment_id else None
                if shipment_id is None or facts is None:
                    raise Wrong(f"order {known['number'] or known['ref']} has no parcel yet.")
                link = parcel_link.address(desk.rt.policy.public_url, desk.rt.vault, desk.seller_id, shipment_id)
                told = fields(facts, shipping, locale, link)
        words = buyer_mail.render(template, told)
        return {"subject": words.subject, "text": words.text, "html": words.html}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    else:
        page.line(told["html"] if html else f"{told['subject']}\n\n{told['text'].rstrip()}")


@app.command("template")
def template(
    event: EventName,
    *,
    lang: Lang = "pt-BR",
    subject: Annotated[str | None, typer.Option(help="A line; {order} and the like are filled in.")] = None,
    body: Annotated[Path | None, typer.Option(metavar="FILE", help="A text file; - is stdin.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Back to the hub's own words.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show or change the words of an e-mail. A line that names something unknown of an order is left out there."""
    wanted, locale = _event(event), _locale(lang)
    if reset and (subject is not None or body is not None):
        raise Wrong("--reset takes your words away: leave --subject and --body out.")
    text = None
    if body is not None:
        try:
            text = page.read_file(body).decode()
        except UnicodeDecodeError:
            raise Wrong(f"{body} is no text in UTF-8.") from None

    async def work(desk: Desk) -> dict[str, Any]:
        from hub import buyer_mail
        from hub.store import mails
        from jobs.mails import set_template

        async with desk.tx() as tx:
            own = (await mails.templates(tx)).get((wanted, locale))
        known = own or buyer_mail.TEMPLATES[locale][wanted]
        if reset:
            own, known = None, await set_template(desk.rt, desk.seller_id, wanted, locale, None)
        elif subject is not None or text is not None:
            changed = buyer_mail.Template(
                known.subject if subject is None else subject, known.body if text is None else text
            )
            own = known = await set_template(desk.rt, desk.seller_id, wanted, locale, changed)
        return {"event": wanted, "lang": lang, "own": own is not None, "subject": known.subject, "body": known.body}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
    else:
        page.line(f"{told['subject']}\n\n{told['body'].rstrip()}")


@app.command("list")
def list_(
    *,
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = None,
    limit: page.Limit = 50,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """List the newest e-mails and what became of them, without addresses."""
    if state is not None and state not in STATES:
        raise Wrong(f"--state {state!r} is not one of: {', '.join(STATES)}.")

    async def work(desk: Desk) -> list[dict[str, Any]]:
        from hub.store import mails

        async with desk.tx() as tx:
            return await mails.listed(tx, state=state, limit=limit)

    page.rows(
        at_desk(seller, work), ["id", "account", "order", "event", "state", "reason", "due_at", "sent_at"],
        as_json=as_json, empty="There is no such e-mail.",
    )  # fmt: skip


@app.command("retry")
def retry(
    mail_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `balcao mail list` shows it.")],
    *,
    leave: Annotated[bool, typer.Option("--leave", help="Do not send it: leave it as it is.")] = False,
    seller: Seller = None,
) -> None:
    """Send an e-mail that is in doubt or failed once more. One in doubt may reach its buyer twice."""

    async def work(desk: Desk) -> bool:
        from jobs.mails import decide_doubt

        return await decide_doubt(desk.rt, desk.seller_id, mail_id, send=not leave)

    if not at_desk(seller, work):
        raise Wrong(f"there is no e-mail {mail_id} that is in doubt or failed.")
    page.line(f"{mail_id} {'is left as it is' if leave else 'will be sent again'}.")


@app.command("check")
def check() -> None:
    """Sign in to the e-mail server, without sending anything."""
    import asyncio

    from config import settings as environment
    from jobs.install import mail_server
    from jobs.mails import check as ask

    server = mail_server(environment.load())
    if server is None:
        raise Wrong("BALCAO_SMTP_URL is not set: no e-mail leaves.")
    if problem := asyncio.run(ask(server)):
        raise Wrong(f"{problem}.")
    page.line(f"{server.host}:{server.port} takes e-mail from {server.sender}.")
