"""The adapters' own forms: signatures, envelopes, white lists, result codes."""

import base64
import importlib
from types import MappingProxyType

import pytest
from django.core.checks import run_checks
from django.utils import translation
from django.utils.functional import Promise

from billing import gateways
from billing.gateways import Attempt, GatewayError, Kind, wire
from tests.billing.base import EVERY, SLUGS

ATTEMPT = Attempt(amount=12_000, order_number=1001, token="12345678", receipt="123456")


def test_sadad_signs_as_its_document_does(settings):
    """Vectors computed with two other libraries (facts of the field, 2026)."""
    key = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
    adapter = importlib.import_module("billing.gateways.sadad").Adapter("", "", "1", "24000615", key)
    assert adapter._signed("24000615;1001;12000") == "8Pne0rfoa/WwuA5LWndcwrN22lkqlef4"
    assert adapter._signed("0000000000012345678") == "yJ9H4nOzuPyT4fOe0523X2PGEbKoHZPW"


@pytest.mark.parametrize("key", ["", "short", "not base64 at all!", base64.b64encode(b"x" * 16).decode()])
def test_a_key_that_cannot_sign_is_found_by_check_and_not_shown(bank, settings, key):
    settings.GATEWAY["sadad"]["terminal_key"] = key
    found = [str(error) for error in run_checks() if error.id == "billing.E001"]
    assert len(found) == 1 and "SADAD_TERMINAL_KEY" in found[0] and (not key or key not in found[0])


@EVERY
def test_every_adapter_says_what_it_is(bank, gateway):
    adapter = gateways.gateway(gateway)
    assert adapter.slug == gateway and isinstance(adapter.name, Promise)
    assert 0 < adapter.min_rial < adapter.max_rial and adapter.returns_by in ("GET", "POST")
    assert repr(adapter) == "Adapter"


@EVERY
def test_every_code_is_explained_in_both_languages(bank, gateway):
    for code in gateways.gateway(gateway).codes:
        with translation.override("en"):
            english = gateways.explained(gateway, code)
        with translation.override("fa"):
            persian = gateways.explained(gateway, code)
        assert english != persian and english != code and persian.isascii() is False, code


@pytest.mark.parametrize("code", ["timeout", "http-503", "http-500", "not-xml", "bank-file"])
def test_our_own_words_for_a_missing_answer_are_explained_too(bank, code):
    with translation.override("fa"):
        assert not gateways.explained("sep", code).isascii()


@EVERY
@pytest.mark.parametrize("value", ["", "x" * 5000, "۱۲۳", "1 2", "<b>", "1.5", "٣", "\x00", "1\n"])
def test_an_odd_value_of_a_callback_counts_as_missing(bank, gateway, value):
    adapter = gateways.gateway(gateway)
    read = set()

    class Listening(dict):
        def get(self, name, default=None):
            read.add(name)
            return value

    returned = adapter.pick(Listening())
    assert returned.ok is False and read, "the control: it was asked for something"
    assert all(field in ("", False) for field in (returned.order_number, returned.token, returned.receipt))


@EVERY
def test_nothing_but_the_white_list_is_read_of_a_callback(bank, gateway):
    """A mapping that counts who asks for a card's field."""
    card = {"SecurePan", "HashedCardNumber", "CardHolderPan", "CardHolderInfo", "CreditCardSaleResponseDetail"}
    card |= {"HashedCardNo", "PrimaryAccNo", "CardHolderFullName", "HashCardNumber", "cardNumber", "RRN"}
    asked = set()

    class Listening(dict):
        def get(self, name, default=None):
            asked.add(name)
            return super().get(name, default)

        def __iter__(self):
            raise AssertionError("a callback is never walked through")

    gateways.gateway(gateway).pick(Listening())
    assert not asked & card


@EVERY
def test_no_answer_before_the_network_is_there(bank, settings, gateway):
    settings.GATEWAY[gateway]["api_url"] = "http://127.0.0.1:9"
    adapter = gateways.gateway(gateway)
    assert adapter.verify(ATTEMPT) == (Kind.NO_ANSWER, "unreachable", "", "", None, None)
    with pytest.raises(GatewayError) as found:
        adapter.ask_token(amount=12_000, order_number=1, callback_url="http://testserver/", description="x")
    assert found.value.kind is Kind.NO_ANSWER and "127.0.0.1" not in str(found.value)


@pytest.mark.parametrize("gateway", [slug for slug in SLUGS if slug not in ("sadad", "zibal", "pasargad")])
def test_a_reversal_that_nobody_answers_is_no_answer(bank, settings, gateway):
    settings.GATEWAY[gateway]["api_url"] = "http://127.0.0.1:9"
    assert gateways.gateway(gateway).reverse(ATTEMPT).kind is Kind.NO_ANSWER


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), ("-5", -5), (True, None), (5.0, None), ("5.0", None), (" 5", None), ("۵", None), (None, None)],
)
def test_only_whole_numbers_are_numbers(value, number):
    assert wire.whole(value) == number


def test_values_are_escaped_in_an_envelope():
    fields = MappingProxyType({"a": "<b>&", "c": 5})
    assert wire.elements(fields) == "<a>&lt;b&gt;&amp;</a><c>5</c>"


@pytest.mark.parametrize("url", ["http://sep.shaparak.ir", "ftp://127.0.0.1", "sep.shaparak.ir"])
def test_a_bank_is_called_over_https_alone(url, monkeypatch):
    from django.core.exceptions import ImproperlyConfigured

    from portal import settings as portal_settings

    monkeypatch.setenv("SEP_API_URL", url)
    with pytest.raises(ImproperlyConfigured):
        portal_settings.endpoint("SEP_API_URL", "https://sep.shaparak.ir")
