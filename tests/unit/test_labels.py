"""Labels as one file: every page is there, in order, upright, and what is no PDF is named."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from adapters.correios.sandbox import pdf
from hub.labels import A4, SMALL, Layout, merged, pages_of


def label(word: str) -> bytes:
    return pdf([[word]])


@pytest.mark.parametrize(("layout", "size", "pages"), [(Layout.SMALL, SMALL, 9), (Layout.A4, A4, 3)])
def test_every_label_is_there_in_order(layout: Layout, size: tuple[float, float], pages: int) -> None:
    words = [f"AD{n}BR" for n in range(9)]
    file = PdfReader(io.BytesIO(merged([label(word) for word in words], layout)))
    assert len(file.pages) == pages
    assert (float(file.pages[0].mediabox.width), float(file.pages[0].mediabox.height)) == pytest.approx(size, abs=0.01)
    text = "\n".join(page.extract_text() for page in file.pages)
    assert [text.index(word) for word in words] == sorted(text.index(word) for word in words)


def test_on_a4_four_stand_in_their_quarters() -> None:
    file = PdfReader(io.BytesIO(merged([label(f"L{n}") for n in range(4)], Layout.A4)))
    places: dict[str, tuple[float, float]] = {}

    def note(text: str, matrix: list[float], line: list[float], *_font: object) -> None:
        if text.strip():
            places[text.strip()] = (
                line[4] * matrix[0] + matrix[4],
                line[5] * matrix[3] + matrix[5],
            )

    file.pages[0].extract_text(visitor_text=note)
    quarters = {word: (x > A4[0] / 2, y > A4[1] / 2) for word, (x, y) in places.items()}
    assert quarters == {"L0": (False, True), "L1": (True, True), "L2": (False, False), "L3": (True, False)}


def test_a_label_that_lies_is_put_upright() -> None:
    writer = PdfWriter(clone_from=io.BytesIO(label("LYING")))
    writer.pages[0].rotate(90)
    out = io.BytesIO()
    writer.write(out)
    (page,) = PdfReader(io.BytesIO(merged([out.getvalue()], Layout.SMALL))).pages
    assert page.rotation == 0
    assert "LYING" in page.extract_text()


@pytest.mark.parametrize("told", [b"", b"<html>Erro interno</html>", b"%PDF-1.4\n%%EOF", label("cut")[:120]])
def test_what_is_no_label_is_said(told: bytes) -> None:
    with pytest.raises(ValueError, match="label"):
        pages_of(told)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])  # a busy machine
@given(place=st.integers(0, 800), byte=st.integers(0, 255), layout=st.sampled_from(Layout))
def test_a_damaged_label_is_drawn_or_refused(place: int, byte: int, layout: Layout) -> None:
    whole = bytearray(label("AD123456785BR"))
    whole[place % len(whole)] = byte
    with contextlib.suppress(ValueError):
        assert merged([bytes(whole)], layout).startswith(b"%PDF")
