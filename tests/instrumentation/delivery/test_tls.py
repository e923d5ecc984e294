"""A server with a certificate of one's own: which authorities are trusted, and which certificate is shown."""

from __future__ import annotations

import pytest
from certificates import Fine, make_certificate

from spanglass.delivery.signals import SIGNALS
from spanglass.delivery.transport.answers import Verdict
from spanglass.delivery.transport.http_sender import HttpSender
from spanglass.delivery.transport.targets import find_target
from spanglass.settings.settings import load


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Return a certificate that has nothing to do with the server's."""
    return make_certificate(tmp_path_factory.mktemp("other"))


def send(url, variables, signal="traces"):
    """Send a body to a server, by the settings that variables make; gives the verdict."""
    settings = load({}, {"SPANGLASS_ENDPOINT": url, **variables})
    sender = HttpSender(find_target(SIGNALS[signal], settings, variables), "test")
    answer = sender.send(b"", 30)
    sender.close()
    return answer.verdict


@pytest.mark.parametrize("bundle", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_certificate_of_otlp_beats_the_bundle_of_requests(certificate, other, monkeypatch, bundle):
    """OTEL_EXPORTER_OTLP_CERTIFICATE, also of one signal, is what counts, whatever the application's requests use."""
    monkeypatch.setenv(bundle, str(other.certificate))
    right, wrong = str(certificate.certificate), str(other.certificate)
    general, own = "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE"
    with certificate.serve(Fine) as url:
        assert send(url, {general: right}) is Verdict.TAKEN
        assert send(url, {general: wrong}) is Verdict.LATER
        assert send(url, {general: wrong, own: right}, "metrics") is Verdict.TAKEN
        assert send(url, {general: wrong, own: right}) is Verdict.LATER


def test_without_one_the_bundle_of_requests_counts(certificate, other, monkeypatch):
    """REQUESTS_CA_BUNDLE is used as before where no certificate is named."""
    with certificate.serve(Fine) as url:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
        assert send(url, {}) is Verdict.TAKEN
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.certificate))
        assert send(url, {}) is Verdict.LATER


def test_a_client_certificate_is_shown(certificate, other, monkeypatch):
    """Certificate and key of the client, together with the server's authority, satisfy a server that asks for them."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.certificate))
    variables = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate.certificate)}
    shown = {
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE": str(other.certificate),
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY": str(other.key),
    }
    with certificate.serve(Fine, clients=other.certificate) as url:
        assert send(url, {**variables, **shown}) is Verdict.TAKEN
        assert send(url, variables) is not Verdict.TAKEN
