"""`balcao mail`: previews, a seller's own words, and what became of each."""

from pathlib import Path

from tests.cli.conftest import Balcao


def test_words_are_previewed_changed_and_put_back(balcao: Balcao, tmp_path: Path):
    balcao("seller", "add", "Loja").good()
    told = balcao("mail", "preview", "dispatched").good().out
    assert told.startswith("Seu pedido 10382 foi enviado\n\nOlá, Ana!")
    assert told.rstrip().endswith("Loja")
    assert "Your order" in balcao("mail", "preview", "dispatched", "--lang", "en").good().out
    assert "<p>" in balcao("mail", "preview", "delivered", "--html").good().out

    words = tmp_path / "words.txt"
    words.write_text("{greeting}\nChegou: {link}\n")
    made = balcao("mail", "template", "delivered", "--subject", "Oba, {order}", "--body", str(words), "--json").good()
    assert made.json["own"] is True
    told = balcao("mail", "preview", "delivered").good().out
    assert told.startswith("Oba, 10382\n\nOlá, Ana!\nChegou: https://")
    said = balcao("mail", "template", "delivered", "--subject", "{document}").sentence(2)
    assert "subject: {document} is not known; there are {greeting}, " in said
    words.write_bytes(b"\xff")
    assert "no text in UTF-8" in balcao("mail", "template", "delivered", "--body", str(words)).sentence(2)
    back = balcao("mail", "template", "delivered", "--reset", "--json").good()
    assert back.json["own"] is False
    assert balcao("mail", "preview", "delivered").good().out.startswith("Seu pedido 10382 foi entregue")
    assert balcao("mail", "list").good().out == "There is no such e-mail.\n"


def test_a_server_that_is_away_is_one_sentence(balcao: Balcao, environment: dict[str, str]):
    environment["BALCAO_SMTP_URL"] = "smtp://u:s3nha@127.0.0.1:1"
    assert "BALCAO_MAIL_FROM is not set" in balcao("mail", "check").sentence(2)
    environment["BALCAO_MAIL_FROM"] = "a@b.example"
    said = balcao("mail", "check").sentence(2)
    assert "127.0.0.1:1 does not answer as an e-mail server" in said
    assert "s3nha" not in said
