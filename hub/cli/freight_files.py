"""Labels and manifests as files."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import page
from hub.cli.desk import Desk, Seller, at_desk
from hub.cli.freight import Several, Volumed, labels_of
from hub.cli.refusals import Wrong

if TYPE_CHECKING:
    from jobs.freight_labels import Printed

Words = dict[str, Any]


class Paper(StrEnum):
    """As hub.labels.Layout has it."""

    SMALL = "10x15"
    A4 = "a4"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the noun `freight`."""
    app.command("label")(label)
    app.command("manifest")(manifest)
    app.command("manifests")(manifests)


def label(
    named: Several, *, out: Annotated[Path, typer.Option("--out", help="Write the PDF here; - is stdout.")],
    layout: Annotated[Paper, typer.Option(help="10x15: a page for each label; a4: four on a page.")] = Paper.SMALL,
    volume: Volumed = None, seller: Seller = None,
) -> None:  # fmt: skip
    """Write the labels of these orders into one PDF, in the order named; what cannot be had is named."""

    async def work(desk: Desk) -> "Printed":
        from hub.cli.stock_files import progressing
        from hub.labels import Layout
        from jobs import freight_labels

        ids = [row["id"] for row in await labels_of(desk, named, volume)]
        with progressing(len(ids), "labels") as advance:
            return await freight_labels.printed(
                desk.rt, desk.seller_id, ids, Layout(layout.value), step=lambda _count: advance(1)
            )

    printed = at_desk(seller, work)
    for sentence in printed.named():
        typer.echo(sentence, err=True)
    there = len(printed.labels) - len(printed.failures)
    if printed.pdf is not None:
        page.write_file(out, printed.pdf)
        if str(out) != "-":
            page.line(f"{there} of {len(printed.labels)} labels written to {out}.")
    if printed.failures:
        raise typer.Exit(1)


def manifest(
    carrier: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The carrier's account, by id, name or channel.")],
    *,
    number: Annotated[int | None, typer.Option(min=1, help="One that was signed, by its number.")] = None,
    sign: Annotated[str | None, typer.Option(metavar="NAME", help="Sign it off: who took the parcels.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="A parcel that stays here; repeat it.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write it on paper; - is stdout.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write it as a sheet; - is stdout.")] = None,
    seller: Seller = None,
    as_json: page.AsJson = False,
) -> None:
    """Show which parcels wait for a carrier; --sign when it took them: their channels are told that they left."""
    if number is not None and (sign is not None or without):
        raise Wrong("--number shows a manifest that was signed: give it without --sign and --without.")

    async def work(desk: Desk) -> Words:
        from jobs import freight_leave

        account = await desk.account(carrier)
        rows, head = await freight_leave.sheet(desk.rt, desk.seller_id, account.id, number)
        left = {word.strip().upper() for word in without or ()}
        if unknown := left - {str(row["tracking_code"] or row["ref"]).upper() for row in rows}:
            raise Wrong(f"--without: {', '.join(sorted(unknown))} does not wait for {account.name}.")
        rows = [row for row in rows if str(row["tracking_code"] or row["ref"]).upper() not in left]
        if sign is not None:
            signed = await freight_leave.sign(desk.rt, desk.seller_id, account.id, [row["id"] for row in rows], sign)
            rows, head = await freight_leave.sheet(desk.rt, desk.seller_id, account.id, signed.number)
        return {**head, "seller": desk.seller, "account": account.name, "parcels": rows}

    told = at_desk(seller, work)
    _write(told, pdf, csv)
    if as_json:
        page.write_json({**told, "parcels": [{**row, "posting": None} for row in told["parcels"]]})
    elif "-" not in (str(pdf), str(csv)):
        columns = ["number=order", "volume", "tracking_code=code", "name=service", "buyer_name=buyer", "city", "state"]
        page.rows(told["parcels"], columns, as_json=False, empty="No parcel waits for this carrier.")
        if told["number"]:
            page.line(f"Manifest {told['number']}: {told['signed_name']} took {len(told['parcels'])} parcels.")


def _write(told: Words, pdf: Path | None, csv: Path | None) -> None:
    from hub.manifest_sheet import manifest_csv, manifest_pdf

    if pdf is not None:
        page.write_file(
            pdf,
            manifest_pdf(
                told["seller"], told["account"], told["parcels"], day=told["day"], number=told["number"],
                signed_name=told["signed_name"], signed_at=told["signed_at"],
            ),
        )  # fmt: skip
    if csv is not None:
        page.write_file(csv, manifest_csv(told["parcels"]).encode())


def manifests(*, limit: page.Limit = 50, seller: Seller = None, as_json: page.AsJson = False) -> None:
    """List manifests that were signed, the newest first."""

    async def work(desk: Desk) -> list[Words]:
        from hub.store import labels

        async with desk.tx() as tx:
            return await labels.manifests(tx, limit)

    columns = ["number", "day", "account", "parcels", "signed_name=taken by", "signed_at"]
    page.rows(at_desk(seller, work), columns, as_json=as_json, empty="No manifest was signed yet.")
