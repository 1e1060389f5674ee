"""What is asked for before an authorization, and what may come back: every channel that has one."""

import pytest

import adapters
from hub import consent
from hub.consent import Declined, draft, granted_by, home, read_back, return_address
from hub.contract import OAuth

AUTHORIZED = [name for name in adapters.names() if adapters.get(name).oauth]


def oauth_of(name: str) -> OAuth:
    oauth = adapters.get(name).oauth
    assert oauth is not None
    return oauth


@pytest.mark.parametrize("name", AUTHORIZED)
def test_a_draft_asks_for_the_application_and_never_for_what_a_consent_brings(name: str):
    oauth, model = oauth_of(name), draft(adapters.get(name).credentials, oauth_of(name))
    required = {field for field, about in model.model_fields.items() if about.is_required()}
    assert required == {*oauth.app, *oauth.asks}
    assert not oauth.untyped() & required
    assert oauth.untyped() & {*model.model_fields}  # something is brought, or there were nothing to gain
    assert {*oauth.app, *oauth.asks, *oauth.tells.values(), *oauth.grants.values()} <= {*model.model_fields}


@pytest.mark.parametrize(
    ("public", "origin", "found"),
    [
        ("https://hub.example/", "http://127.0.0.1:8000", "https://hub.example"),
        (None, "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        (None, "http://localhost:8000", "http://localhost:8000"),
        (None, "http://[::1]:8000", "http://[::1]:8000"),
        (None, "http://192.168.0.9:8000", None),
        (None, "http://127.0.0.1.evil.example", None),
    ],
)
def test_a_vendor_is_given_the_public_address_or_this_machines_own(public: str | None, origin: str, found: str | None):
    assert home(public, origin) == found


def test_where_it_comes_back_to():
    assert return_address("https://hub.example", "shopee") == "https://hub.example/contas/retorno/shopee"


def test_what_an_answer_lacks_is_named():
    shop, credentials = oauth_of("shopee"), draft(adapters.get("shopee").credentials, oauth_of("shopee"))
    known = credentials.model_validate({"partner_id": "1", "partner_key": "k"})
    assert read_back(shop, known, {"code": "c", "shop_id": "7"}) == consent.Granted(code="c", told={"shop_id": "7"})
    for told, said in (({"shop_id": "7"}, "code"), ({"code": "c"}, "shop_id"), ({}, "code, shop_id")):
        with pytest.raises(Declined) as refusal:
            read_back(shop, known, told)
        assert (refusal.value.code, refusal.value.said) == ("incomplete", said)
    with pytest.raises(Declined) as refusal:
        read_back(shop, known, {"error": "access_denied", "error_description": "não " * 200, "code": "c"})
    assert refusal.value.code == "access_denied"
    assert len(refusal.value.said) <= consent.LONGEST_TOLD


def test_what_an_exchange_grants_is_named_by_the_credentials_fields():
    nuvem = oauth_of("nuvemshop")
    assert granted_by(nuvem, {"access_token": "t", "user_id": 817}) == {"access_token": "t", "store_id": "817"}
    with pytest.raises(Declined, match="access_token"):
        granted_by(nuvem, {"error": "invalid_grant", "user_id": 817})
