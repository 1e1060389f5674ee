"""Labels of several parcels as one file to print: 10 x 15 cm pages, or four to a page of A4. Pure."""

import io
from collections.abc import Sequence
from enum import StrEnum

from pypdf import PageObject, PdfReader, PdfWriter, Transformation
from pypdf.errors import PyPdfError

MM = 72 / 25.4
A4 = (210 * MM, 297 * MM)
SMALL = (100 * MM, 150 * MM)
MARGIN = 4 * MM


# What a damaged file makes of the reader: its own errors, and those of the values that it trips over.
_TRIPS = (
    PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, ZeroDivisionError, RecursionError, OSError,
)  # fmt: skip


class Layout(StrEnum):
    """What the printer holds."""

    SMALL = "10x15"
    A4 = "a4"


def pages_of(pdf: bytes) -> list[PageObject]:
    """A label's pages, upright. ValueError for what is no PDF, or one without a page."""
    upright = PdfWriter()
    try:
        pages = [upright.add_page(page) for page in PdfReader(io.BytesIO(pdf)).pages]
        for page in pages:
            page.transfer_rotation_to_content()
    except _TRIPS as problem:
        raise ValueError(f"the label is no readable PDF ({type(problem).__name__})") from None
    if not pages:
        raise ValueError("the label has no page")
    return pages


def merged(labels: Sequence[bytes], layout: Layout) -> bytes:
    """One PDF of all labels, in their order, each page scaled to fit. ValueError as `pages_of`."""
    pages = [page for label in labels for page in pages_of(label)]
    try:
        return _drawn(pages, layout)
    except _TRIPS as problem:
        raise ValueError(f"the label cannot be drawn ({type(problem).__name__})") from None


def _drawn(pages: Sequence[PageObject], layout: Layout) -> bytes:
    writer = PdfWriter()
    sheet: PageObject | None = None
    wide, high = A4[0] / 2, A4[1] / 2
    for place, page in enumerate(pages):
        if layout is Layout.SMALL:
            _draw(writer.add_blank_page(*SMALL), page, 0, 0, *SMALL)
            continue
        if sheet is None or place % 4 == 0:
            sheet = writer.add_blank_page(*A4)
        # from the top left, row by row
        left, below = (place % 2) * wide, (1 - place % 4 // 2) * high
        _draw(sheet, page, left + MARGIN, below + MARGIN, wide - 2 * MARGIN, high - 2 * MARGIN)
    writer.compress_identical_objects()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _draw(sheet: PageObject, page: PageObject, left: float, below: float, wide: float, high: float) -> None:
    """The page in the middle of a field, as large as it fits."""
    box = page.cropbox
    scale = min(wide / float(box.width), high / float(box.height))
    right = left + (wide - float(box.width) * scale) / 2 - float(box.left) * scale
    up = below + (high - float(box.height) * scale) / 2 - float(box.bottom) * scale
    sheet.merge_transformed_page(page, Transformation().scale(scale).translate(right, up))
