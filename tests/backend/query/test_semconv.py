"""Old and new names of the semantic conventions."""

from fractions import Fraction

import pytest
from opentelemetry.semconv._incubating.attributes.db_attributes import DbSystemNameValues, DbSystemValues

from spanglass_server.query.semantic_conventions.semconv import MetricAlias, aliases, metric_aliases, value_aliases
from spanglass_server.query.semantic_conventions.semconv_names import ATTRIBUTES, METRICS, METRICS_MS_TO_S, VALUES


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("http.status_code", ("http.response.status_code", "http.status_code")),
        ("http.response.status_code", ("http.response.status_code", "http.status_code")),
        ("rpc.grpc.status_code", ("rpc.status_code", "rpc.response.status_code", "rpc.grpc.status_code")),
        ("net.peer.name", ("server.address", "net.peer.name")),
        ("deployment.environment", ("deployment.environment.name", "deployment.environment")),
        ("shop.cart.id", ("shop.cart.id",)),
    ],
)
def test_aliases_are_newest_first(key, expected):
    """A name finds its successors and predecessors, newest first, but not other old names of its successor."""
    assert aliases(key) == expected


def test_new_name_finds_all_old_ones():
    """The newest name finds every name that ever led to it."""
    assert set(aliases("rpc.status_code")) == {
        "rpc.status_code",
        "rpc.response.status_code",
        "rpc.grpc.status_code",
        "rpc.connect_rpc.error_code",
        "rpc.jsonrpc.error_code",
    }


@pytest.mark.parametrize("table", [ATTRIBUTES, METRICS, {**METRICS, **METRICS_MS_TO_S}])
def test_renames_end(table):
    """No chain of renames runs in a circle, or lookups would not end."""
    for name in table:
        seen = [name]
        while seen[-1] in table:
            seen.append(table[seen[-1]])
            assert len(seen) == len(set(seen))


def test_metric_in_seconds_finds_milliseconds():
    """Values of a metric once in milliseconds come with the factor to the unit that was asked for."""
    assert metric_aliases("http.server.request.duration") == (
        MetricAlias("http.server.request.duration", Fraction(1)),
        MetricAlias("http.server.duration", Fraction(1, 1000)),
    )
    assert metric_aliases("http.server.duration") == (
        MetricAlias("http.server.request.duration", Fraction(1000)),
        MetricAlias("http.server.duration", Fraction(1)),
    )


def test_metric_renamed_in_its_unit_keeps_it():
    """A metric renamed within its unit has factor 1 under both names."""
    assert metric_aliases("db.client.connections.usage") == (
        MetricAlias("db.client.connection.count", Fraction(1)),
        MetricAlias("db.client.connections.usage", Fraction(1)),
    )


def test_values_renamed():
    """A value is known by its old and new spelling, under the key's old and new name, and only there."""
    assert value_aliases("db.system", "mssql") == ("mssql", "microsoft.sql_server")
    assert value_aliases("db.system.name", "microsoft.sql_server") == ("microsoft.sql_server", "mssql")
    assert value_aliases("rpc.status_code", "UNAVAILABLE") == ("UNAVAILABLE", "14")
    assert value_aliases("http.route", "mssql") == ("mssql",)


#: Values of ``db.system`` without a successor of their own: obsolete, or any SQL database since.
_DATABASES_WITHOUT_SUCCESSOR = {
    "cloudscape", "coldfusion", "edb", "filemaker", "firstsql", "interbase", "mssqlcompact", "pervasive", "pointbase",
    "progress", "sybase", "vertica",
}  # fmt: skip


def test_renamed_databases_are_complete():
    """Each old value of ``db.system`` is still valid, known by its new spelling, or has no successor."""
    new = {value.value for value in DbSystemNameValues}
    old = {value.value for value in DbSystemValues}
    unknown = {value for value in old - new if not new.intersection(value_aliases("db.system", value))}
    assert unknown == _DATABASES_WITHOUT_SUCCESSOR


def test_values_belong_to_newest_names():
    """Each table of values is filed under a name that has no successor, where lookups end."""
    assert [key for key in VALUES if key in ATTRIBUTES] == []
