"""`balcao`: everything that can be asked of an installation from a terminal. One module per noun."""

import typer

from hub.cli import (
    account,
    alerts,
    apikey,
    approval,
    buffer,
    channel,
    count,
    deadlines,
    doctor,
    drift,
    events,
    freight,
    freight_buying,
    freight_files,
    holds,
    inbox,
    keys,
    kit,
    link,
    listings,
    mail,
    normalize,
    opening,
    orders,
    process,
    purchase,
    replenish,
    returns,
    role,
    run,
    seller,
    shipments,
    shortages,
    stock,
    stranded,
    supplier,
    tracking,
    transfer,
    user,
    warehouse,
)
from hub.cli.refusals import Guarded

app = typer.Typer(
    cls=Guarded,
    help="Balcão: one order and stock model behind every channel and carrier.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
process.add_to(app)
doctor.add_to(app)
normalize.add_to(app)
approval.add_to(account.app)
holds.add_to(account.app)
deadlines.add_to(account.app, seller.app)
role.add_to(account.app)
stranded.add_to(account.app)
opening.add_to(stock.app)
freight_buying.add_to(freight.app)
freight_files.add_to(freight.app)
for name, noun in {
    "seller": seller.app,
    "user": user.app,
    "channel": channel.app,
    "account": account.app,
    "stock": stock.app,
    "count": count.app,
    "buffer": buffer.app,
    "kit": kit.app,
    "warehouse": warehouse.app,
    "transfer": transfer.app,
    "link": link.app,
    "run": run.app,
    "orders": orders.app,
    "returns": returns.app,
    "listings": listings.app,
    "drift": drift.app,
    "replenish": replenish.app,
    "purchase": purchase.app,
    "supplier": supplier.app,
    "shipments": shipments.app,
    "freight": freight.app,
    "mail": mail.app,
    "tracking": tracking.app,
    "inbox": inbox.app,
    "alerts": alerts.app,
    "shortages": shortages.app,
    "events": events.app,
    "apikey": apikey.app,
    "keys": keys.app,
}.items():
    app.add_typer(noun, name=name, no_args_is_help=True)


def main() -> None:
    """The console script."""
    app()
