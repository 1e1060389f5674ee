"""Files of links: what people save, what is wrong with it line by line, and back."""

from pathlib import Path
from uuid import uuid4

import pytest

from hub.likeness import Reason, Suggestion
from hub.link_sheet import Row, read_rows, write_rows
from hub.stock_sheet import Unusable
from tests.cli.conftest import Balcao

TITLED = {"account": "Loja", "ref": "12", "variation_ref": None, "title": "=Caneca", "channel_sku": "-X", "gtin": None}


def row(line: int, listing: str, sku: str | None, multiplier: int = 1, **more: str) -> Row:
    told = {"account": None, "variation": None, **more}
    return Row(
        line=line, listing=listing, sku=sku, multiplier=multiplier, account=told["account"], variation=told["variation"]
    )


def test_what_is_written_is_read_again_once_a_person_accepted_it() -> None:
    best = Suggestion(
        sku_id=uuid4(),
        code="CAN-1",
        score=80,
        multiplier=6,
        reasons=(Reason("pack", 0, {"words": "kit 6", "units": 6}),),
    )
    plain = Suggestion(sku_id=uuid4(), code="PRATO", score=50, reasons=())
    told = [
        ({**TITLED, "sku": None, "multiplier": 1}, best),
        ({**TITLED, "ref": "13", "sku": None, "multiplier": 1}, plain),
        ({**TITLED, "ref": "14", "variation_ref": "7", "sku": "COPO", "multiplier": 2}, None),
    ]
    body = write_rows(told, "pt-BR")
    assert body.startswith(b"\xef\xbb\xbfaccount;listing;")
    assert b"'=Caneca" in body
    text = body.decode("utf-8-sig")
    assert 'o título diz ""kit 6"": seriam 6 unidades por venda' in text
    assert read_rows(body) == ([row(4, "14", "COPO", 2, account="Loja", variation="7")], [], 2)

    lines = text.splitlines()
    accepted = "\n".join([lines[0], lines[1] + "x", lines[2] + "Sim"]).encode("cp1252")
    rows, troubles, silent = read_rows(accepted)
    assert rows == [row(3, "13", "PRATO", account="Loja")]
    assert [(each.line, each.message) for each in troubles] == [
        (2, "multiplier: empty, and the title speaks of 6 units: write 6 or 1")
    ]
    assert silent == 0


def test_semicolons_commas_and_other_heads() -> None:
    assert read_rows("Anúncio,Variação,SKU\nMLB1,9,CAÇA\nMLB2,,-\n".encode("cp1252"))[0] == [
        row(2, "MLB1", "CAÇA", variation="9"), row(3, "MLB2", None),
    ]  # fmt: skip
    assert read_rows(b"\n\nref;codigo;multiplicador\n\n1;A;12\n")[0] == [row(5, "1", "A", 12)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,23E+11;A;1;", "listing: the sheet shortened the number to '1,23E+11': format the column as text"),
        (";A;1;", "listing: empty"),
        ("1;A;0;", "multiplier: '0' is not a whole number from 1 to 100000"),
        ("1;A;1,5;", "multiplier: '1,5' is not a whole number from 1 to 100000"),
        ("1;;1;talvez", "accept: 'talvez' is neither yes nor no: write x, or leave it empty"),
        ("1;;1;x", "accept: there is no suggested_sku in this line: write the sku"),
        ("1;A\x07;1;", "sku: holds a character that cannot be printed"),
    ],
)
def test_what_is_wrong_names_its_line_and_column(line: str, said: str) -> None:
    rows, troubles, _silent = read_rows(f"listing;sku;multiplier;accept\n2;B;1;\n{line}\n".encode())
    assert rows == [row(2, "2", "B")]
    assert [(each.line, each.message) for each in troubles] == [(3, said)]


def test_a_listing_twice_names_the_line_before() -> None:
    _rows, troubles, _ = read_rows(b"listing;sku\n1;A\n2;B\n1;C\n")
    assert [(each.line, each.message) for each in troubles] == [(4, "listing: '1' stands in line 2 already")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the file is empty"), (b"sku;quantity\nA;1\n", "no column listing"),
        (b"listing;title\n", "no column sku"),
        (b"listing;ref;sku\n", "two columns of the file are the listing"), (b"PK\x03\x04\0\0", "not a CSV"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        read_rows(body)


def test_commands_on_a_seller_without_listings(balcao: Balcao, tmp_path: Path) -> None:
    balcao("seller", "add", "Loja").good()
    assert balcao("link", "suggest").good().out == "Every listing is linked.\n"
    assert balcao("link", "duplicates").good().out == "Nothing is there twice.\n"
    out = tmp_path / "links.csv"
    assert balcao("link", "export", out).good().out.startswith("0 listings written")
    assert balcao("link", "import", out, "--dry-run").good().out.splitlines()[-1].startswith("Nothing is written")
    out.write_text("listing;sku\nMLB1;A\n")
    told = balcao("link", "import", out, "--create")
    assert told.status == 2
    assert "line 2: listing: there is no 'MLB1'" in told.err
    assert "1 of 1 rows are wrong: nothing is written." in told.err
    assert "there is no listing" in balcao("link", "accept", "MLB1").sentence(2)
