"""Which names stand for secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.semconv import attributes

from spanglass.scrubbing.keys import KeyRules, words_of

SECRET = {
    "password": "password passwd pwd db_pwd user.password PGPASSWORD dbpassword password1 passwordHash password_hash "
    "MYSQL_PWD smtp_pass userPassword new-password passphrase pass",
    "token": "token access_token refreshToken csrfmiddlewaretoken id_token bearerToken AWS_SESSION_TOKEN token_id "
    "oauth2_token refresh_tokens access_token_value x_amz_security_token accesstoken",
    "api key": "api_key apikey x-api-key APIKey apiKey API_KEYS",
    "key": "private_key SECRET_KEY privateKey ssh-key signing_key aws_access_key",
    "secret": "secret client_secret clientSecret aws_secret_access_key secret_id app_secrets",
    "authorization": "authorization Proxy-Authorization http.request.header.authorization auth basic_auth x-auth "
    "authorization_code auth_code",
    "cookie": "cookie set-cookie http.request.header.cookie http.response.header.set_cookie Cookies",
    "csrf": "csrf _csrf xsrf",
    "session": "sessionid JSESSIONID PHPSESSID session_key connect.sid",
    "jwt": "jwt user_jwt jwt_value",
    "social security number": "ssn user.ssn social_security_number",
    "card number": "credit_card card_number creditCardNumber cc_num",
    "card code": "cvv cvc2 card.cvc security_code",
    "one-time code": "otp totp mfa_code 2fa_code",
    "bank account": "iban bank_account_number",
    "credential": "credentials aws.credential X-Amz-Credential",
    "pin": "pin card_pin",
}
HARMLESS = """
    author authors authority author_id session_count session.id session_id sessions token_count token_type max_tokens
    gen_ai.usage.input_tokens gen_ai.usage.output_tokens next_page_token time_to_first_token tokenizer passenger
    secretary compass bypass key cache_key partition_key public_key api_key_id access_key_id cookie_consent cookie_name
    csrf_exempt password_length password_changed_at access_token_expires_in authorization_url auth.type auth.user.id
    k8s.secret.name has_password is_token credit_card_type credit_card_last4 pinned spin gpio_pin pass_count test.pass
    PWD OLDPWD keyboard monkey code state username user.name user.id broadcast AUTH_PASSWORD_VALIDATORS
    http.request.method http.request.header.content-type db.query.text unexpected_token broken credits accredited
"""


@pytest.mark.parametrize(("reason", "key"), [(reason, key) for reason, keys in SECRET.items() for key in keys.split()])
def test_names_of_secrets_are_known(reason, key):
    """A secret's name is known in every spelling, and for the right reason."""
    rule = KeyRules().find(key)
    assert (rule.reason if rule else None) == reason


@pytest.mark.parametrize("key", HARMLESS.split())
def test_harmless_names_are_left(key):
    """A name that only looks like a secret's is none: words are compared whole."""
    assert KeyRules().find(key) is None


def test_no_attribute_of_the_conventions_is_secret():
    """None of OpenTelemetry's own attribute names is scrubbed by its words; there are more than 500."""
    files = Path(attributes.__path__[0]).parent.rglob("*_attributes.py")
    names = {name for file in files for name in re.findall(r'Final = "([a-z_]+\.[a-z_.]+)"', file.read_text("utf-8"))}
    rules = KeyRules()
    assert len(names) > 500
    assert [name for name in names if rules.find(name)] == []


def test_names_are_split_at_case_digits_and_punctuation():
    """Every way to write names gives the same words."""
    assert words_of("refreshToken") == words_of("refresh_token") == words_of("Refresh-Token2") == ["refresh", "token"]
    assert words_of("XAPIKey") == ["xapi", "key"]
    assert words_of("http.request.header.x-api-key") == ["http", "request", "header", "x", "api", "key"]


def test_more_keys_and_safe_keys():
    """The user's words make names secret in every spelling; safe keys win, whole or by what they begin with."""
    rules = KeyRules(["customer_name"], ["auth.token", "db.query.parameter.*"])
    assert [rules.find(key).reason for key in ("customerName", "CUSTOMERNAME", "x.customer-name.length")] == [
        "customer_name"
    ] * 3
    assert rules.find("Auth.Token") is None
    assert rules.find("auth.token.value") is not None
    assert rules.is_safe("db.query.parameter.password")
    assert not rules.is_safe("db.query.parameter")


@given(st.lists(st.sampled_from(["order", "count", "user", "page", "item", "http", "route", "name"]), min_size=1))
def test_names_of_ordinary_words_are_harmless(words):
    """No combination of ordinary words is a secret's name, however it is written."""
    rules = KeyRules()
    assert [rules.find(sep.join(words)) for sep in ("_", ".", "-", "")] == [None] * 4


def test_a_long_name_is_judged_by_its_end():
    """A name of any length is judged, by its last characters, and decisions about such names are not kept."""
    rules = KeyRules()
    key = "x_" * 100_000 + "password"
    assert rules.find(key).reason == "password"
    assert key not in rules._cache


def test_decisions_are_remembered_up_to_a_bound():
    """A process that makes up names for ever does not fill the memory."""
    rules = KeyRules()
    for number in range(10_000):
        rules.find(f"key{number}")
    assert len(rules._cache) <= 4096
