"""Addresses of stores: one reference however typed, no key over plain http to a stranger."""

import pytest

from hub.addresses import is_safe, store_ref, store_url


@pytest.mark.parametrize(
    ("typed", "url", "ref"),
    [
        (" loja.example/ ", "https://loja.example", "loja.example"),
        ("https://Loja.Example:443/br/", "https://Loja.Example:443/br", "loja.example/br"),
        ("https://loja.example./?page=1#top", "https://loja.example.", "loja.example"),
        ("https://loja.example/panel/x?y", "https://loja.example", "loja.example"),
        ("HTTP://127.0.0.1:8080", "HTTP://127.0.0.1:8080", "127.0.0.1:8080"),
    ],
)
def test_a_store_has_one_reference(typed: str, url: str, ref: str):
    assert store_url(typed, "/panel") == url
    assert store_ref(url) == ref


@pytest.mark.parametrize("typed", ["", "ftp://loja.example", "https://", "https://[::1", "https://a:b"])
def test_what_is_no_address_is_refused(typed: str):
    with pytest.raises(ValueError, match="not the address of a store"):
        store_url(typed)


@pytest.mark.parametrize("url", ["https://loja.example", "http://127.0.0.1:9", "http://localhost:1", "http://a.local"])
def test_a_key_travels_over_https_or_at_home(url: str):
    assert is_safe(url)


@pytest.mark.parametrize("url", ["http://loja.example", "http://93.184.215.14", "ftp://loja.example"])
def test_a_key_stays_here(url: str):
    assert not is_safe(url)
