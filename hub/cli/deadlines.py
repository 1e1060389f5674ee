"""Deadlines: by when orders leave (`balcao account ship-by`) and a seller's patience (`balcao seller shipping`)."""

from datetime import time
from typing import Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.refusals import Wrong


def _clock(told: str | None, option: str) -> time | None:
    if told is None:
        return None
    hours, _, minutes = told.partition(":")
    if not (hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit() and len(minutes) == 2):  # noqa: PLR2004 - two digits
        raise Wrong(f"{option} {told!r} is not a time of day like 14:00.")
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise Wrong(f"{option} {told!r} is not a time of day like 14:00.") from None


def ship_by(
    named: Annotated[str, typer.Argument(metavar="ACCOUNT", help="By id, name or channel.")],
    *,
    handling_days: Annotated[
        int | None, typer.Option(min=0, max=60, help="Business days from payment to dispatch; 0: the same day.")
    ] = None,
    cutoff: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="Paid from then on counts for the next business day.")
    ] = None,
    leaves_at: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="When the day's parcels leave: the deadline's hour.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="No policy: only what the channel tells.")] = False,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say by when an account's orders leave where its channel does not; without options, show it."""
    times = {"cutoff": _clock(cutoff, "--cutoff"), "leaves_at": _clock(leaves_at, "--leaves-at")}
    if none and (handling_days is not None or any(times.values())):
        raise Wrong("--none takes the policy away: leave the other options out.")

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs.deadlines import set_policy

        account = await desk.account(named)
        known, looked = await set_policy(desk.rt, account, none=none, handling_days=handling_days, **times)
        told = {} if known is None else {
            "handling_days": known.handling_days, "cutoff": known.cutoff.isoformat("minutes"),
            "leaves_at": known.leaves_at.isoformat("minutes"), "state": known.state,
        }  # fmt: skip
        return {"account": account.name, "policy": told or None, "orders": looked}

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    policy = told["policy"]
    looked = f" ({told['orders']} open orders looked at)" if told["orders"] else ""
    if policy is None:
        page.line(f"{told['account']}: only what the channel tells{looked}")
        return
    page.line(
        f"{told['account']}: paid by {policy['cutoff']}, leaves {policy['handling_days']} business days later at "
        f"{policy['leaves_at']} ({policy['state'] or 'national holidays only'}){looked}"
    )


def shipping(
    *,
    state: Annotated[
        str | None, typer.Option(metavar="UF", help="Whose holidays and clock hold; `none`: the first warehouse's.")
    ] = None,
    stuck_days: Annotated[int | None, typer.Option(min=1, max=90, help="Days without a scan: stuck.")] = None,
    loss_days: Annotated[int | None, typer.Option(min=2, max=90, help="Days without a scan: probably lost.")] = None,
    pickup_days: Annotated[
        int | None, typer.Option(min=1, max=60, help="Days that a unit keeps a parcel, where the carrier tells none.")
    ] = None,
    link_days: Annotated[
        int | None, typer.Option(min=1, max=365, help="Days that a buyer's tracking page outlives its parcel.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="No e-mail to buyers then; 00:00-00:00: at any hour.")
    ] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Say where a seller ships from and how patient it is with parcels; without options, show it."""
    days = {"stuck_days": stuck_days, "loss_days": loss_days, "pickup_days": pickup_days, "link_days": link_days}

    async def work(desk: Desk) -> dict[str, Any]:
        from jobs.deadlines import set_shipping

        return await set_shipping(desk.rt, desk.seller_id, state=state, quiet=quiet, **days)

    told = at_desk(seller, work)
    if as_json:
        page.write_json(told)
        return
    page.line(
        f"{told['name']}: {told['state'] or 'no state set'}, clock of {told['zone']}; stuck after "
        f"{told['stuck_days']} days without a scan, probably lost after {told['loss_days']}; "
        f"pickup within {told['pickup_days']} days; tracking pages for {told['link_days']} days after the end; "
        f"no e-mail to buyers {told['quiet']}"
    )


def add_to(account: typer.Typer, seller: typer.Typer) -> None:
    """The verbs of `balcao account` and `balcao seller` that stand here."""
    account.command("ship-by")(ship_by)
    seller.command("shipping")(shipping)
