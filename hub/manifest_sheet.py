"""A manifest (romaneio) on paper and as a sheet: which parcels a carrier took, and who signed for them. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub.parse import SAO_PAULO
from hub.sheets import cell

HEADS = ("Nº", "Pedido", "Volume", "Objeto", "Serviço", "Destinatário", "CEP", "Cidade/UF", "Peso (g)")
_WIDTHS = (9, 24, 14, 34, 20, 40, 18, 26, 14)  # millimetres


def rows_of(labels: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A line for each parcel, in HEADS' order."""
    return [
        (
            str(place), str(label["number"]), f"{label['volume']}/{label['volumes']}",
            label["tracking_code"] or label["ref"] or "", label["name"] or label["service"], label["buyer_name"] or "",
            label["postal_code"] or "", "/".join(filter(None, (label["city"], label["state"]))),
            str(label["posting"]["parcel"]["weight_g"]),
        )
        for place, label in enumerate(labels, 1)
    ]  # fmt: skip


def manifest_csv(labels: Sequence[Mapping[str, Any]]) -> str:
    """The manifest as spreadsheets in Brazil open it: UTF-8 with its mark, semicolons."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out, delimiter=";")
    sheet.writerow(HEADS)
    sheet.writerows([cell(word) for word in row] for row in rows_of(labels))
    return "\ufeff" + out.getvalue()


def manifest_pdf(
    seller: str, carrier: str, labels: Sequence[Mapping[str, Any]], *, day: date, number: int | None = None,
    signed_name: str | None = None, signed_at: datetime | None = None,
) -> bytes:  # fmt: skip
    """The manifest on A4; without a number it is a draft that nobody signed."""
    styles = getSampleStyleSheet()
    title = f"Romaneio nº {number}" if number else "Romaneio (rascunho)"
    grams = sum(label["posting"]["parcel"]["weight_g"] for label in labels)
    told: list[Flowable] = [
        Paragraph(title, styles["Title"]),
        Paragraph(f"{_plain(seller)} → {_plain(carrier)} · {day:%d/%m/%Y}", styles["Normal"]),
        Paragraph(f"Volumes: {len(labels)} · peso total: {grams / 1000:.3f} kg".replace(".", ","), styles["Normal"]),
        Spacer(1, 4 * mm),
        _table(labels),
        Spacer(1, 12 * mm),
    ]
    if signed_name and signed_at:
        at = f"{signed_at.astimezone(SAO_PAULO):%d/%m/%Y %H:%M}"
        told.append(Paragraph(f"Retirado por {_plain(signed_name)} em {at} (horário de Brasília).", styles["Normal"]))
    told += [Spacer(1, 12 * mm), Paragraph("Assinatura: " + "_" * 50, styles["Normal"])]
    out = io.BytesIO()
    sheet = SimpleDocTemplate(
        out, pagesize=A4, title=title, author=seller, leftMargin=5 * mm, rightMargin=5 * mm, topMargin=12 * mm,
        bottomMargin=12 * mm,
    )  # fmt: skip
    sheet.build(told)
    return out.getvalue()


def _plain(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _table(labels: Sequence[Mapping[str, Any]]) -> Table:
    style = getSampleStyleSheet()["BodyText"].clone("cell", fontSize=7.5, leading=9)
    lines = [[Paragraph(_plain(word), style) for word in row] for row in (HEADS, *rows_of(labels))]
    table = Table(lines, colWidths=[width * mm for width in _WIDTHS], repeatRows=1)
    table.setStyle(
        TableStyle([
            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
            ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ])
    )  # fmt: skip
    return table
