"""Credentials at rest: sealed, opened, moved to a new key; and the tokens of callbacks."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.secrets import SecretsError, Vault, load_keys, new_key, new_token, same, token_hash

PLAIN = {"consumer_key": "ck_1", "consumer_secret": "ção", "empty": ""}


def test_what_is_sealed_opens_again_and_shows_nothing():
    vault = Vault([new_key()])
    sealed = vault.seal(PLAIN)
    assert vault.open(sealed) == PLAIN
    assert b"ck_1" not in sealed
    assert vault.seal(PLAIN) != sealed
    assert repr(vault) == "<Vault>"


def test_an_old_key_opens_and_rotating_moves_to_the_first():
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal(PLAIN)
    both = Vault([new, old])
    assert both.open(sealed) == PLAIN
    with pytest.raises(SecretsError):
        Vault([new]).open(sealed)
    assert Vault([new]).open(both.rotate(sealed)) == PLAIN
    assert Vault([new]).open(both.seal(PLAIN)) == PLAIN  # the first one encrypts


@pytest.mark.parametrize("act", [Vault.open, Vault.rotate])
def test_a_wrong_key_gives_one_clear_sentence(act):
    sealed = Vault([new_key()]).seal(PLAIN)
    for told in (sealed, sealed[:-4], b"", b"nonsense"):
        with pytest.raises(SecretsError) as refusal:
            act(Vault([new_key()]), told)
        assert "BALCAO_SECRET_KEYS" in str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert refusal.value.__cause__ is None


@pytest.mark.parametrize("keys", [[], ["senha"], [""], ["é" * 44]])
def test_what_is_no_key_is_named_with_the_way_out_and_not_shown(keys: list[str]):
    with pytest.raises(SecretsError, match="BALCAO_SECRET_KEYS") as refusal:
        Vault(keys)
    assert "python -m hub.secrets" in str(refusal.value)
    assert "senha" not in str(refusal.value)


def test_configured_keys_come_first(tmp_path: Path):
    assert load_keys(" a , b,,", tmp_path) == ("a", "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("configured", [None, "", " , "])
def test_without_them_a_key_file_is_made_for_us_alone(tmp_path: Path, configured: str | None):
    before = os.umask(0)
    try:
        keys = load_keys(configured, tmp_path / "home")
    finally:
        os.umask(before)
    (path,) = (tmp_path / "home").iterdir()
    assert path.name == "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_keys(None, tmp_path / "home") == keys
    Vault(keys)


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path):
    code = "import sys, pathlib, hub.secrets as s; print(*s.load_keys(None, pathlib.Path(sys.argv[1])))"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    assert len({each.communicate(timeout=60)[0] for each in running}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_home_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretsError, match="cannot be used"):
        load_keys(None, tmp_path / "file")


def test_a_new_key_can_be_had_from_the_command_line():
    told = subprocess.run([sys.executable, "-m", "hub.secrets"], capture_output=True, text=True, check=True)
    Vault([told.stdout.strip()])


def test_callback_tokens_are_long_and_looked_up_by_hash():
    token = new_token()
    assert len(token) == 43
    assert token != new_token()
    assert token_hash(token) == token_hash(token)
    assert len(token_hash(token)) == 32
    assert token_hash("\udc80 é") != token_hash("é")  # whatever a path may hold


def test_equal_is_equal():
    assert same("é", "é")
    assert same(b"a", "a")
    assert not same("a", "b")
    assert not same("a", "")
