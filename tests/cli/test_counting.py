"""A count from opening to posting, as a person types it."""

from pathlib import Path

from tests.cli.conftest import Balcao


def test_a_count_from_opening_to_posting(balcao: Balcao, tmp_path: Path) -> None:
    balcao("seller", "add", "Loja da Ana").good()
    for sku, units in (("A", 10), ("B", 4)):
        balcao("stock", "set", sku, units, "--create").good()
    assert "count 1 is open" in balcao("count", "open", "--blind", "--note", "fim de ano").good().out
    assert balcao("count", "enter", 1, "A", 9).good().out == "A: 9 noted\n"
    hidden = balcao("count", "report", 1).good().out
    assert "The book is hidden" in hidden
    assert "10" not in hidden
    assert all(row["book"] is None for row in balcao("count", "report", 1, "--json").json["lines"])
    wrong = balcao("count", "import", 1, "-", stdin="sku;contagem\nB;4\nX;1\n")
    assert wrong.err.splitlines() == ["line 3: sku: there is no 'X'", "1 of 2 rows are wrong: nothing is noted."]
    assert "1 SKUs noted" in balcao("count", "import", 1, "-", stdin="sku;contagem\nB;4\n").good().out
    sheet = tmp_path / "inventario.csv"
    balcao("count", "report", 1, "--reveal", "--csv", sheet).good()
    assert [row.split(";")[:6] for row in sheet.read_text("utf-8-sig").splitlines()[1:]] == [
        ["A", "", "", "9", "10", "-1"], ["B", "", "", "4", "4", "0"],
    ]  # fmt: skip
    assert "A, B should be counted again" in balcao("count", "post", 1).sentence(2)
    assert "2 SKUs, 1 corrected (+0, -1)" in balcao("count", "post", 1, "--window", 0).good().out
    (told,) = balcao("stock", "moves", "A", "--json", "--limit", 1).good().json
    assert (told["reason"], told["delta"], told["balance"], told["note"]) == ("count", -1, 9, "fim de ano")
    (row,) = balcao("count", "list", "--json").good().json
    assert (row["state"], row["skus"], row["counted"]) == ("posted", 2, 2)


def test_what_cannot_be_counted(balcao: Balcao) -> None:
    balcao("seller", "add", "Loja da Ana").good()
    assert "there is no SKU yet" in balcao("count", "open").sentence(2)
    balcao("stock", "set", "A", 1, "--create").good()
    for words, said in (
        (["open", "--category", "x", "--sku", "A"], "give one of them"),
        (["open", "--sku", "X"], "there is no SKU 'X'"),
        (["enter", "1", "A", "1"], "there is no count 1"),
        (["report", "1"], "there is no count 1"),
        (["post", "1"], "there is no count 1"),
        (["cancel", "1"], "there is no count 1"),
        (["enter", "1", "A", "1", "--counted-at", "ontem"], "--counted-at: 'ontem' is no time"),
        (["import", "1", "/no/such"], "cannot be read"),
    ):
        assert said in balcao("count", *words).sentence(2)
    balcao("count", "open", "--sku", "A").good()
    assert "has not come yet" in balcao("count", "enter", 1, "A", 1, "--counted-at", "2099-01-01").sentence(2)
    assert "count 1 is cancelled." in balcao("count", "cancel", 1).good().out
