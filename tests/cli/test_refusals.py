"""Whatever goes wrong is one sentence and an exit status; never a traceback, never a secret."""

import os
import re
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Balcao, program

GROUPS = {
    "seller": ["add", "list", "shipping"], "user": ["add", "list", "reset-factor"], "channel": ["list", "show"],
    "account": ["add", "set", "list", "check", "hold", "resume", "subscribe", "preview", "approve", "revoke", "role",
                "close", "holds", "ship-by", "open-orders", "settle-orders"],
    "buffer": ["set", "preview", "remove", "list"],
    "stock": ["set", "show", "import", "open", "since", "adjust", "moves", "imports", "undo", "export"],
    "count": ["open", "enter", "import", "report", "post", "cancel", "list"],
    "kit": ["set", "unset"],
    "warehouse": ["add", "list", "edit", "close", "draws", "area", "split"],
    "transfer": ["open", "send", "receive", "cancel", "list", "show"],
    "link": ["auto", "list", "set", "unset", "suggest", "accept", "duplicates", "export", "import"],
    "run": ["poll", "ingest", "push-stock", "push-shipments", "track", "listings", "reconcile"],
    "returns": ["list", "receive"],
    "orders": ["list", "show", "allocation", "allocate"],
    "listings": ["list", "parked", "braked", "unpark", "replay", "release"],
    "replenish": ["settings", "defaults", "import", "run", "suggest", "explain", "order"],
    "purchase": ["list", "show", "create", "edit", "send", "receive", "close", "cancel"],
    "supplier": ["add", "list", "edit"],
    "shipments": ["list", "show", "add"], "inbox": ["list", "replay"],
    "mail": ["account", "preview", "template", "list", "retry", "check"],
    "tracking": ["codes", "follow", "learn", "strays"],
    "alerts": ["list"], "drift": ["list", "accept", "dismiss", "policy"],
    "freight": [
        "measure", "missing", "policy", "quote", "preview", "buy", "list", "label", "manifest", "manifests", "cancel",
        "settle",
    ],
    "apikey": ["add", "list", "revoke", "scopes"], "keys": ["rotate"],
    "events": ["kinds", "list", "add", "rotate", "switch", "remove", "log", "replay", "test"],
    "shortages": ["list", "show"],
}  # fmt: skip
ALONE = ["up", "down", "demo", "web", "worker", "cron", "migrate", "doctor", "normalize"]


PAGE = (ROOT / "docs" / "CLI.md").read_text()


@pytest.mark.parametrize("words", [[name] for name in ALONE] + [[g, c] for g, names in GROUPS.items() for c in names])
def test_every_command_has_help_and_a_place_on_the_page(balcao: Balcao, words: list[str]) -> None:
    told = balcao(*words, "--help").good().out
    assert "Usage: balcao " + " ".join(words) in told
    section = PAGE.partition(f"### `balcao {' '.join(words)}")[2].partition("\n### ")[0]
    assert section
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", told)) - {"--help"}:
        assert f"`{option}" in section, option


def test_every_command_is_tested() -> None:
    from hub.cli import app

    named = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert named == set(ALONE)
    groups = {
        group.name: sorted(str(command.name) for command in group.typer_instance.registered_commands)
        for group in app.registered_groups
        if group.typer_instance
    }
    assert groups == {name: sorted(verbs) for name, verbs in GROUPS.items()}


def test_nothing_typed_is_help(balcao: Balcao) -> None:
    for words in ([], ["stock"]):
        said = balcao(*words)
        assert said.out.startswith("Usage: balcao")
        assert said.err == ""


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nope"], "No such command 'nope'"),
        (["stock", "set"], "Missing argument"),
        (["stock", "set", "A", "-5"], "No such option"),
        (["stock", "set", "A", "x"], "Invalid value"),
        (["stock", "set", "A", "99999999999"], "Invalid value"),
        (["stock", "set", "", "1"], "SKU is empty"),
        (["stock", "set", "A", "1"], "there is no seller yet"),
        (["stock", "adjust", "A", "3", "--reason", "x"], "is not +N or -N"),
        (["stock", "adjust", "A", "-0", "--reason", "x"], "is not +N or -N"),
        (["stock", "adjust", "A", "+3", "--reason", " "], "--reason is empty"),
        (["stock", "adjust", "A", "+3"], "Missing option"),
        (["stock", "moves", "A", "--since", "ontem"], "--since: 'ontem' is no time"),
        (["worker", "--number", "x"], "Invalid value"),
        (["demo", "--seconds", "never"], "Invalid value"),
        (["account", "add", "nowhere"], "there are: amazon, bling, correios"),
        (["account", "add", "woocommerce", "--set", "secret"], "the 1. --set is not KEY=VALUE"),
        (["account", "add", "woocommerce", "--set", "a=1", "--set", "a=2"], "--set a is given twice"),
        (["account", "add", "woocommerce", "--set", "a=@/no/such"], "--set a: /no/such cannot be read"),
        (["account", "set", "x"], "nothing is set"),
        (["channel", "show", "nowhere"], "there are: amazon, bling, correios"),
        (["seller", "add", " "], "NAME is empty"),
        (["user", "add", "nobody"], "no e-mail address"),
        (["user", "add", "a@b", "--role", "king"], "Invalid value"),
        (["user", "add", "a@b", "--password", "x", "--password-stdin"], "not both"),
        (["kit", "set", "K", "A"], "is not SKU=QTY"),
        (["kit", "set", "K", "A=0"], "from 1 to"),
        (["kit", "set", "K", "A=1", "A=2"], "named twice"),
        (["mail", "preview", "lost"], "EVENT 'lost' is not one of"),
        (["mail", "preview", "dispatched", "--lang", "fr"], "--lang 'fr' is not one of: pt-BR, en"),
        (["mail", "template", "delivered", "--reset", "--subject", "x"], "--reset takes your words away"),
        (["mail", "template", "delivered", "--body", "/no/such"], "/no/such cannot be read"),
        (["mail", "list", "--state", "lost"], "--state 'lost' is not one of"),
        (["mail", "retry", "x"], "Invalid value"),
        (["mail", "check"], "BALCAO_SMTP_URL is not set"),
        (["inbox", "replay"], "--all"),
        (["inbox", "replay", "x"], "Invalid value"),
        (["inbox", "list", "--state", "lost"], "Invalid value"),
        (["orders", "list", "--status", "lost"], "Invalid value"),
        (["orders", "list", "--limit", "0"], "Invalid value"),
        (["shipments", "list", "--status", "gone"], "is not one of"),
        (["shipments", "add", "1", "--carrier", "c", "--code", "?"], "is not a tracking code"),
        (["freight", "measure", "CANECA=350"], "is not SKU=GRAMS,LxWxH"),
        (["freight", "measure", "CANECA=0,1x1x1"], "grams are from 1"),
        (["freight", "policy", "--sender", "/no/such"], "/no/such cannot be read"),
        (["freight", "policy", "--rule", "dearest"], "Invalid value"),
        (["freight", "buy", "1", "--service", "03220"], "--carrier and --service go together"),
        (["freight", "settle", "x"], "--not-bought"),
        (["freight", "label", "1", "--out", "x", "--layout", "a5"], "Invalid value"),
        (["freight", "manifest", "c", "--number", "1", "--sign", "x"], "--number shows a manifest"),
        (["stock", "import", "/no/such.csv"], "/no/such.csv cannot be read"),
        (["stock", "import"], "FILE is missing"),
        (["stock", "export", "--separator", "|"], "--separator: '|' is not"),
        (["stock", "undo", "x"], "Invalid value"),
        (["account", "holds", "x", "--from", "shipped"], "Invalid value"),
        (["warehouse", "add", " ", "x"], "needs a code"),
        (["buffer", "set", "units", "x"], "Invalid value"),
        (["buffer", "set", "bits", "1"], "Invalid value"),
        (["buffer", "remove", "1"], "Invalid value"),
        (["run", "everything"], "No such command"),
        (["replenish", "settings", "A", "--service-level", "100"], "--service-level: '100' is not a service level"),
        (["replenish", "settings", "A", "--lead-time-days", "soon"], "--lead-time-days: 'soon' is not a number"),
        (["replenish", "suggest", "--abc", "D"], "--abc: 'D' is none of A, B, C"),
        (["replenish", "order", "A"], "'A' is not SKU=QTY"),
        (["replenish", "import", "/no/such"], "/no/such cannot be read"),
        (["purchase", "create", "X", "A=0"], "a quantity is from 1"),
        (["purchase", "create", "X", "A=1@x"], "'A=1@x': cost: 'x' is not an amount"),
        (["purchase", "create", "X", "A=1", "A=2"], "A is named twice"),
        (["purchase", "receive", "1"], "say what came"),
        (["purchase", "receive", "1", "A=1", "--all"], "say what came"),
        (["purchase", "send", "1", "--expected", "logo"], "--expected: 'logo' is no time"),
        (["supplier", "add", " "], "NAME is empty"),
        (["supplier", "add", "X", "--document", "12"], "--document: '12' is neither"),
        (["supplier", "add", "X", "--email", "x"], "--email: 'x' is no e-mail"),
        (["supplier", "edit", "X"], "nothing is changed"),
        (["drift", "list", "--state", "lost"], "Invalid value"),
        (["drift", "accept"], "--all"),
        (["drift", "accept", "x"], "Invalid value"),
        (["drift", "dismiss"], "--all"),
        (["drift", "policy", "paused"], "give a policy too"),
        (["listings", "unpark"], "nothing is chosen"),
        (["listings", "replay", "--preview"], "nothing is chosen"),
        (["listings", "release"], "name an --account or a --slot"),
    ],
)
def test_what_is_typed_wrongly(balcao: Balcao, words: list[str], named: str) -> None:
    assert named in balcao(*words).sentence(2)


@pytest.fixture
def ana(balcao: Balcao) -> Balcao:
    balcao("seller", "add", "Loja da Ana").good()
    return balcao


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["seller", "add", "loja da ana"], "already"),
        (["account", "check", "woocommerce"], "no account yet"),
        (["orders", "show", "1"], "there is no order '1'"),
        (["link", "set", "1", "A"], "there is no listing '1'"),
        (["stock", "set", "A", "1"], "there is no SKU 'A'"),
        (["stock", "set", "A", "1", "--create", "--warehouse", "X"], "there is no warehouse 'X'"),
        (["stock", "show", "A"], "there is no SKU 'A'"),
        (["stock", "adjust", "A", "-3", "--reason", "quebra"], "there is no SKU 'A'"),
        (["stock", "moves", "A"], "there is no SKU 'A'"),
        (["stock", "open", "--from", "x"], "no account yet"),
        (["stock", "show", "A", "--seller", "Bia"], "there is no seller 'Bia'"),
        (["kit", "set", "K", "A=1"], "there is no SKU 'A'"),
        (["kit", "set", "K", "K=1", "--create"], "would hold itself"),
        (["warehouse", "add", "principal", "x"], "already"),
        (["user", "add", "a@b.c"], "the password is missing"),
        (["user", "add", "a@b.c", "--password", "curta"], "too short"),
        (["account", "add", "woocommerce"], "fields: store_url"),
        (["account", "add", "woocommerce", "--set", "token=x"], "fields: store_url"),
        (["inbox", "replay", "01a2016d-c8df-7b86-a964-689d1eec00f8"], "are not there"),
        (["shipments", "add", "1", "--carrier", "c", "--code", "AA123456789BR"], "no account yet"),
        (["stock", "set", "A\ud800", "1", "--create"], "cannot be stored"),
        (["stock", "set", "A\x00", "1", "--create"], "cannot be stored"),
    ],
)
def test_what_is_not_there(ana: Balcao, words: list[str], named: str) -> None:
    assert named in ana(*words).sentence(2)


def test_several_sellers_must_be_chosen_from(ana: Balcao) -> None:
    bia = ana("seller", "add", "Loja da Bia", "--json").good().json["seller_id"]
    assert "--seller" in ana("stock", "set", "A", 1, "--create").sentence(2)
    for named in ("loja da bia", bia):
        ana("stock", "set", "A", 1, "--create", "--seller", named).good()
    ana("stock", "show", "A", env={"BALCAO_SELLER": "Loja da Bia"}).good()
    assert "there is no SKU" in ana("stock", "show", "A", "--seller", "Loja da Ana").sentence(2)
    assert len(ana("seller", "list", "--json").good().json) == 2


def test_a_sheet_is_written_whole_or_not_at_all(ana: Balcao, tmp_path: Path) -> None:
    ana("warehouse", "add", "SP", "São Paulo", "--rank", 20).good()
    ana("stock", "set", "A", 1, "--create").good()
    sheet = tmp_path / "contagem.csv"
    sheet.write_bytes("SKU;Quantidade;Depósito\r\nA;1.500,00;\r\nB;2;SP\r\nC;2,5;\r\nA;3;RJ\r\n".encode("cp1252"))
    said = ana("stock", "import", sheet)
    assert said.status == 2
    assert [line.split(":")[0] for line in said.err.splitlines()[:3]] == ["line 3", "line 4", "line 5"]
    assert said.err.splitlines()[3] == "3 of 4 rows are wrong: nothing is written."
    assert ana("stock", "show", "A", "--json").good().json["levels"][0]["on_hand"] == 1
    told = ana("stock", "import", sheet, "--skip-bad", "--create", "--dry-run", "--json").json
    assert (told["good"], told["written"], [each["line"] for each in told["errors"]]) == (2, [], [4, 5])
    said = ana("stock", "import", sheet, "--skip-bad", "--create")
    assert said.status == 0
    assert "import 1: 2 counts written" in said.out
    levels = {row["code"]: row["on_hand"] for row in ana("warehouse", "list", "--json").good().json}
    assert levels == {"principal": 1500, "SP": 2}
    ana("stock", "import", "-", stdin=b"sku,quantity\nA,7\n").good()
    assert ana("stock", "show", "A", "--json").good().json["levels"][0]["on_hand"] == 7


def test_a_file_is_previewed_changed_exported_and_undone(ana: Balcao, tmp_path: Path) -> None:
    ana("stock", "set", "A", 10, "--create").good()
    ana("stock", "set", "B", 2, "--create").good()
    changes = b"C\xf3digo do Produto\tSaldo\nA\t+5\nB\t-2\n"
    said = ana("stock", "import", "-", "--mode", "add", "--dry-run", stdin=changes).good()
    assert [line.split() for line in said.out.splitlines()[1:3]] == [
        ["2", "A", "principal", "10", "15", "5", "no"], ["3", "B", "principal", "2", "0", "-2", "no"],
    ]  # fmt: skip
    too_many = ana("stock", "import", "-", "--mode", "add", stdin=b"sku;qtd\nB;-3\n")
    assert too_many.err.splitlines()[0] == "line 2: quantity: 2 stand there, -3 would leave -1"
    assert (
        "import 1: 2 counts written, 2 of them changed"
        in ana("stock", "import", "-", "--mode", "add", stdin=changes).good().out
    )
    sheet = tmp_path / "estoque.csv"
    ana("stock", "export", sheet).good()
    assert sheet.read_bytes().decode("utf-8-sig").splitlines()[1:] == ["A;;;principal;15;0;15;", "B;;;principal;0;0;0;"]
    assert "0 of them changed" in ana("stock", "import", sheet).good().out
    for row in ana("stock", "imports", "--json").good().json:
        assert (row["left"], row["rows"]) == (0, 2)
    refused = ana("stock", "undo", 1).sentence(2)
    assert "2 lines cannot be undone, --rest undoes the others: A (principal) was counted since" in refused
    assert ana("stock", "undo", 2).good().out == "import 2: 2 lines undone.\n"
    assert "nothing to undo" in ana("stock", "undo", 2).sentence(2)
    assert "there is no import 9" in ana("stock", "undo", 9).sentence(2)
    assert "there is no import 9" in ana("stock", "import", "--resume", 9).sentence(2)
    assert [row["reason"] for row in ana("stock", "moves", "A", "--json").good().json] == ["adjustment", "opening"]


def test_people(ana: Balcao) -> None:
    said = ana("user", "add", "Ana@Example.com", "--name", "Ana", "--password-stdin", stdin="segredo-da-ana\n").good()
    assert "segredo" not in said.out
    refused = ana("user", "add", "ana@example.com", "--role", "manager", "--password", "senha-que-nao-fica")
    assert "the last owner cannot go" in refused.sentence(2)
    assert [row["role"] for row in ana("user", "list", "--json").good().json] == ["owner"]
    ana("user", "add", "bia@example.com", "--password-stdin", stdin="segredo-da-bia\n").good()
    assert ana("user", "add", "ana@example.com", "--role", "manager", "--json").good().json == {
        **ana("user", "add", "ana@example.com", "--role", "manager", "--json").json, "is_new": False,
        "password_set": False, "role": "manager",
    }  # fmt: skip
    assert "signed out" in ana("user", "add", "ana@example.com", "--password", "outra-senha").good().out
    assert "has no second factor" in ana("user", "reset-factor", "Ana@Example.com").sentence(2)
    assert "nobody of Loja da Ana" in ana("user", "reset-factor", "eva@example.com").sentence(2)
    assert ana("keys", "rotate", "--json").good().json["user_factor.sealed"] == 0


def test_a_database_that_does_not_answer(balcao: Balcao) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        url = f"postgresql://ana:geheim-wort@127.0.0.1:{port}/x"
        said = balcao("seller", "list", env={"DATABASE_URL": url})
        assert "cannot reach the database" in said.sentence(1)
        assert "geheim" not in said.err
        said = balcao("doctor", env={"DATABASE_URL": url})
        assert said.status == 1
        assert "problem  database" in said.out
        assert "geheim" not in said.out + said.err


def test_settings_that_cannot_be_used(balcao: Balcao) -> None:
    for env in ({"BALCAO_PORT": "x"}, {"DATABASE_URL": "mysql://a:geheim@b/c"}, {"BALCAO_SECRET_KEYS": "geheim"}):
        said = balcao("seller", "list", env=env)
        assert "geheim" not in said.sentence(1 if "BALCAO_SECRET_KEYS" in env else 2)
        assert balcao("doctor", env=env).status == 1


def test_a_database_that_is_not_set_up(balcao: Balcao, environment: dict[str, str]) -> None:
    empty = environment["DATABASE_URL"].replace(environment["DATABASE_URL"].split("@/")[1].split("?")[0], "postgres")
    assert "balcao migrate" in balcao("seller", "list", env={"DATABASE_URL": empty}).sentence(1)


def test_redis_away_keeps_nobody_from_working(ana: Balcao) -> None:
    away = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    ana("stock", "set", "A", 1, "--create", env=away).good()
    ana("run", "push-stock", env=away).good()
    said = ana("doctor", env=away)
    assert said.status == 1
    assert "problem  redis" in said.out


def test_a_public_url_that_nobody_reaches(ana: Balcao) -> None:
    for url, named in (("http://loja.example", "not https"), ("https://localhost", "no channel can reach it")):
        said = ana("doctor", env={"BALCAO_PUBLIC_URL": url})
        assert said.status == 1
        assert named in said.out
    assert ana("doctor", "--json", env={"BALCAO_PUBLIC_URL": "https://loja.example"}).good().json


def test_keys_that_do_not_open_what_others_sealed(ana: Balcao) -> None:
    ana("account", "add", "correios", "--no-check", "--set", "user=u", "--set", "access_code=c", "--set", "posting_card=1").good()  # fmt: skip # noqa: E501 - one call
    ana("doctor").good()
    from hub.secrets import new_key

    other = {"BALCAO_SECRET_KEYS": new_key()}
    assert "none of our keys" in ana("doctor", env=other).out
    assert "none of our keys" in ana("account", "check", "correios", env=other).sentence(1)


def test_a_reader_who_has_seen_enough() -> None:
    read, write = os.pipe()
    os.close(read)
    import subprocess
    import sys

    told = subprocess.run(
        [sys.executable, "-c", "from hub.cli import main; main()", "channel", "list"],
        cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert b"Traceback" not in told.stderr
    assert told.stderr == b""


def test_a_terminal_that_knows_ascii_only() -> None:
    path = ROOT / "tests/adapters/woocommerce/order/processing_paid.json"
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    assert program("normalize", "woocommerce", "order", path, env=env).status == 0
    assert program("channel", "list", env=env).status == 0
