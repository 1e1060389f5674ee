"""Buying from a terminal: a supplier, settings, a suggestion explained, an order drafted, sent and received."""

from pathlib import Path

from tests.cli.conftest import Balcao


def shop(balcao: Balcao) -> None:
    balcao("seller", "add", "Loja").good()
    for sku, units in (("CANECA", 8), ("PRATO", 40)):
        balcao("stock", "set", sku, units, "--create").good()
    balcao("supplier", "add", "Forja Ltda", "--lead-time", 12, "--email", "vendas@forja.example").good()


def test_from_a_supplier_to_what_came(balcao: Balcao) -> None:
    shop(balcao)
    assert balcao("supplier", "add", "Forja Ltda").sentence(2) == "there is a supplier 'Forja Ltda' already."
    set_ = ("--supplier", "forja ltda", "--reorder-point", 10, "--order-multiple", 6, "--service-level", "97,5%")
    told = balcao("replenish", "settings", "CANECA", *set_, "--json").good().json
    assert (told["supplier"], told["reorder_point"], told["order_multiple"]) == ("Forja Ltda", 10, 6)
    assert told["service_level"] == 0.975
    assert balcao("replenish", "settings", "CANECA", "--cover-days", "-", "--json").good().json["reorder_point"] == 10
    assert balcao("alerts", "list", "--json").good().json[0]["kind"] == "low_stock"

    ran = balcao("replenish", "run", "--json").good().json
    assert ran["skus"] == 2
    assert ran["alerts_raised"] == 0, "it was raised when the settings were made"
    (row,) = balcao("replenish", "suggest", "--json").good().json
    assert (row["sku"], row["position"], row["quantity"], row["doubt"]) == ("CANECA", 8, 6, "new")
    assert "CANECA" in balcao("replenish", "suggest").good().out
    assert "Ponto de pedido: 10, definido por você." in balcao("replenish", "explain", "CANECA").good().out
    english = balcao("replenish", "explain", "CANECA", "--lang", "en", "--json").good().json
    assert "Suggestion: buy 6 (minimum 1, in multiples of 6)." in english["steps"]

    assert balcao("replenish", "order").good().out == "Purchase order 1 for Forja Ltda: 1 lines drafted.\n"
    assert balcao("replenish", "order").good().out == "CANECA stands in draft 1 already.\n"
    balcao("purchase", "edit", 1, "CANECA=12@9,90", "PRATO=5").good()
    assert "is sent; expected" in balcao("purchase", "send", 1).good().out
    assert balcao("alerts", "list", "--json").good().json == []
    again = ("purchase", "receive", 1, "CANECA=4", "--ref", "NF 77")
    assert balcao(*again).good().out == "4 units of purchase order 1 came; it is partial now.\n"
    assert balcao(*again).good().out == "NF 77 was booked before: nothing is moved.\n"
    assert "9 would have come" not in balcao("purchase", "receive", 1, "CANECA=9").sentence(2)
    assert "13 would have come of 12 ordered" in balcao("purchase", "receive", 1, "CANECA=9").sentence(2)
    done = balcao("purchase", "receive", 1, "--all", "--json").good().json
    assert (done["status"], done["units"]) == ("received", 13)
    shown = balcao("purchase", "show", 1, "--json").good().json
    assert [line["received_quantity"] for line in shown["lines"]] == [12, 5]
    assert "Receipts" in balcao("purchase", "show", 1).good().out
    assert "CANECA;;;12;9,90;118,80" in balcao("purchase", "show", 1, "--csv", "-").good().out
    (level,) = balcao("stock", "show", "CANECA", "--json").good().json["levels"]
    assert level["on_hand"] == 20
    (listed,) = balcao("purchase", "list", "--state", "received", "--json").good().json
    assert listed["number"] == "1"
    assert balcao("purchase", "list", "--state", "open").good().out.startswith("There is no purchase order")
    assert "Forja Ltda" in balcao("supplier", "list").good().out


def test_called_off_closed_and_refused(balcao: Balcao) -> None:
    shop(balcao)
    assert "there is no supplier 'Ninguém'" in balcao("purchase", "create", "Ninguém", "CANECA=1").sentence(2)
    assert "there is no SKU 'NADA'" in balcao("purchase", "create", "Forja Ltda", "NADA=1").sentence(2)
    assert balcao("purchase", "list", "--json").good().json == []
    balcao("purchase", "create", "Forja Ltda", "CANECA=5", "--note", "urgente").good()
    assert balcao("purchase", "cancel", 1).good().out == "Purchase order 1 is cancelled.\n"
    balcao("purchase", "create", "Forja Ltda", "CANECA=5").good()
    balcao("purchase", "send", 2, "--expected", "2099-01-01").good()
    assert "lies in the past" not in balcao("purchase", "show", 2).good().out
    balcao("purchase", "receive", 2, "CANECA=1").good()
    assert balcao("purchase", "close", 2).good().out == "Purchase order 2 is closed.\n"
    assert "there is no purchase order '9'" in balcao("purchase", "show", 9).sentence(2)
    balcao("supplier", "edit", "Forja Ltda", "--rename", "Forja", "--lead-time", 3).good()
    assert balcao("supplier", "list", "--json").good().json[0]["lead_time_days"] == 3
    balcao("supplier", "edit", "Forja", "--archive").good()
    assert balcao("supplier", "list", "--json").good().json == []


def test_settings_come_from_a_sheet_whole_or_not_at_all(balcao: Balcao, tmp_path: Path) -> None:
    shop(balcao)
    sheet = tmp_path / "reposicao.csv"
    sheet.write_text("SKU;Fornecedor;Ponto de pedido;Múltiplo\nCANECA;forja ltda;10;6\nPRATO;Outra;5;0\nX;;1;\n")
    said = balcao("replenish", "import", sheet)
    assert said.status == 2
    assert said.err.splitlines() == [
        "line 3: order_multiple: '0' is not a whole number from 1 to 1000000",
        "line 4: sku: there is no 'X'",
        "2 of 3 rows are wrong: nothing is written.",
    ]
    sheet.write_text("SKU;Fornecedor;Ponto de pedido;Múltiplo\nCANECA;forja ltda;10;6\nPRATO;;5;\n")
    assert "nothing is written" in balcao("replenish", "import", sheet, "--dry-run").good().out
    assert balcao("replenish", "settings", "CANECA", "--json").good().json["supplier"] is None
    assert balcao("replenish", "import", sheet).good().out == "2 SKUs are set.\n"
    assert balcao("replenish", "settings", "CANECA", "--json").good().json["supplier"] == "Forja Ltda"
    assert balcao("replenish", "settings", "PRATO", "--json").good().json["reorder_point"] == 5


def test_the_shops_defaults_count_where_nothing_else_is_set(balcao: Balcao) -> None:
    shop(balcao)
    assert balcao("replenish", "defaults", "--json").good().json["lead_time_days"] == 14
    balcao("replenish", "defaults", "--lead-time-days", 30, "--returns-reduce", "sim", "--handling", "median").good()
    told = balcao("replenish", "defaults", "--json").good().json
    assert (told["lead_time_days"], told["returns_reduce"], told["handling"]) == (30, True, "median")
    balcao("replenish", "run").good()
    assert "Prazo de reposição: 30 dias" in balcao("replenish", "explain", "PRATO").good().out
