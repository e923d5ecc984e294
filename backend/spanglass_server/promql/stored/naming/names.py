"""Names of OTLP's metrics and attributes as Prometheus 3 translates them (UnderscoreEscapingWithSuffixes).

The rules are those of OpenTelemetry's "Prometheus and OpenMetrics compatibility" and of Prometheus' otlptranslator.
"""

from __future__ import annotations

import re
from functools import lru_cache

_UNIT_TEXT = """
d=days h=hours min=minutes s=seconds ms=milliseconds us=microseconds ns=nanoseconds
By=bytes KiBy=kibibytes MiBy=mebibytes GiBy=gibibytes TiBy=tibibytes KBy=kilobytes MBy=megabytes GBy=gigabytes
TBy=terabytes m=meters V=volts A=amperes J=joules W=watts g=grams Cel=celsius Hz=hertz 1= %=percent
"""
_UNITS = dict(pair.split("=") for pair in _UNIT_TEXT.split())
_PER_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_TOKEN = re.compile(r"[A-Za-z0-9:]+")
_NO_UNIT_CHARACTER = re.compile(r"[^A-Za-z0-9:]+")
_NO_LABEL_CHARACTER = re.compile(r"[^A-Za-z0-9_]")
_PLAIN_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=8192)
def metric_name(name: str, unit: str, *, is_gauge: bool = False, is_counter: bool = False) -> str:
    """The name of a metric in Prometheus, without suffixes of histograms; ``is_counter``: a monotonic sum."""
    tokens = _TOKEN.findall(name)
    main, per = _unit_suffixes(unit)
    tokens += [suffix for suffix in (main, per) if suffix and suffix not in tokens]
    if is_counter:
        tokens = _ending_with(tokens, "total")
    if is_gauge and unit == "1":
        tokens = _ending_with(tokens, "ratio")
    joined = "_".join(tokens)
    return f"_{joined}" if joined[:1].isdigit() else joined


def unit_name(unit: str) -> str:
    """What a unit is called in Prometheus; "" for none."""
    return "_".join(filter(None, _unit_suffixes(unit)))


@lru_cache(maxsize=8192)
def label_name(key: str) -> str:
    """The label that an attribute becomes; "" for an attribute without a key."""
    cleaned = _NO_LABEL_CHARACTER.sub("_", key)
    if cleaned[:1].isdigit():
        return f"key_{cleaned}"
    if cleaned.startswith("_") and not cleaned.startswith("__"):
        return f"key{cleaned}"
    return cleaned


def is_plain_label(name: str) -> bool:
    """Whether a label can be written without quotes."""
    return _PLAIN_LABEL.fullmatch(name) is not None


def _ending_with(tokens: list[str], last: str) -> list[str]:
    return [*(token for token in tokens if token != last), last]


def _unit_suffixes(unit: str) -> tuple[str, str]:
    """What a unit adds to a name: ``By/s`` is "bytes" and "per_second"; annotations in braces add nothing."""
    main, _, per = unit.partition("/")
    per_suffix = _suffix(per, _PER_UNITS)
    return _suffix(main, _UNITS), f"per_{per_suffix}" if per_suffix else ""


def _suffix(unit: str, known: dict[str, str]) -> str:
    unit = unit.strip()
    if "{" in unit or "}" in unit:
        return ""
    return _NO_UNIT_CHARACTER.sub("_", known.get(unit, unit)).strip("_")
