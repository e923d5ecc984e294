"""Turn raw captures into fixtures: ids, hosts, paths and process numbers become made-up ones, and what a test needs is kept.

usage: prepare.py RAW FIXTURES [NAME ...]
One id becomes one other id everywhere, halves of a 128-bit id each for itself, so what is shared stays shared.
"""
import hashlib
import json
import re
import sys
from pathlib import Path

IDS = re.compile(r'"(?:traceId|spanId|parentSpanId)": "([0-9a-f]+)"')
#: Attributes that say where something ran.
PLACES = {
    "host.name": "shop-1", "host.id": "0f0e0d0c0b0a09080706050403020100", "os.version": "6.1.0", "os.description": "Linux 6.1.0",
    "process.pid": "4711", "process.owner": "shop", "process.parent_pid": "1",
    "service.instance.id": "5eed5eed-0000-4000-8000-000000000001", "ip": "192.0.2.7", "client-uuid": "1234567890abcdef",
}
#: Paths of the machine that ran the senders.
PATHS = [
    (r"/[^\s\"]*/\.cargo/registry/src/[^/]+/", "/build/cargo/"),
    (r"/[^\s\"]*/go/pkg/mod/", "/build/go/"),
    (r"/[^\s\":]*/\.m2/repository/[^\s\":]*/", "/opt/lib/"),
    (r"/[^\s\"]*/\.pyenv/[^\"\s]*/", "/opt/python/"),
    (r"/rustc/[0-9a-f]{40}/", "/rustc/"),
    (r"/tmp/(?:cap/\w+|nodecap)/", "/srv/shop/"),
]
#: Which traces are kept, by a word that one of their spans has, and which metrics, by name; all, where nothing is named.
KEPT = {
    "java-agent": {
        "words": ["sku=none", "sku=bad", "CREATE TABLE orders.stock"], "first": 1,
        "metrics": r"http\.server\.request\.duration|jvm\.(cpu\.time|gc\.duration)|otlp\.exporter\.exported",
    },
    "python-delta": {"metrics": r"mail\.(sent|size|duration)"},
    "go": {"metrics": r"gateway\.served|http\.client\.request\.duration"},
    "collector-hostmetrics": {"requests": 4, "metrics": r"system\.(cpu\.time|memory\.usage|cpu\.load_average\.1m|network\.io|disk\.operations)"},
    "collector-prometheus": {"metrics": r"bakery_.*|up|python_gc_collections_total|process_cpu_seconds_total"},
}


def made_up(half):
    return half if not half.strip("0") else hashlib.sha256(b"made up " + half.encode()).hexdigest()[:16]


def replaced(text):
    for old in set(IDS.findall(text)):
        new = "".join(made_up(old[at : at + 16]) for at in range(0, len(old), 16))
        text = text.replace(old, new)
    for pattern, path in PATHS:
        text = re.sub(pattern, path, text)
    return text


def values(node):
    """Replace what says where a sender ran, in every list of attributes."""
    if isinstance(node, dict):
        if node.get("key") in PLACES:
            kind, old = next(iter(node["value"].items()))
            if ":" in str(old):  # an address that was scraped
                node["value"] = {kind: "shop-1:" + old.rpartition(":")[2]}
            else:
                node["value"] = {kind: int(PLACES[node["key"]]) if isinstance(old, int) else PLACES[node["key"]]}
        for item in node.values():
            values(item)
    elif isinstance(node, list):
        for item in node:
            values(item)


def records(document, kinds):
    for resource in next(iter(document.values()), []):
        for scope in next(value for key, value in resource.items() if key.startswith("scope")):
            for kind in kinds:
                if kind in scope:
                    yield scope, kind


def without_empty(document):
    """Drop scopes and resources that have no record left; None if none is left."""
    if not document:
        return document  # the Collector sends an empty request for an empty list of spans
    (name, resources), = document.items()
    for resource in resources:
        scopes = next(key for key in resource if key.startswith("scope"))
        resource[scopes] = [s for s in resource[scopes] if any(s.get(kind) for kind in ("spans", "logRecords", "metrics"))]
    document[name] = [r for r in resources if next(v for k, v in r.items() if k.startswith("scope"))]
    return document if document[name] else None


def kept_traces(documents, rule):
    seen = {}
    for document in documents:
        for scope, kind in records(document, ["spans"]):
            for span in scope[kind]:
                seen.setdefault(span["traceId"], []).append(json.dumps(span))
    chosen = [t for t, spans in seen.items() if any(word in text for word in rule["words"] for text in spans)]
    others = sorted((t for t in seen if t not in chosen), key=lambda t: -len(seen[t]))
    return {*chosen, *others[: rule["first"]]}


def trimmed(files, rule):
    if "words" in rule:
        traces = kept_traces(files.get("traces", []), rule)
        for documents in files.values():
            for document in documents:
                for scope, kind in records(document, ["spans", "logRecords"]):
                    scope[kind] = [record for record in scope[kind] if record.get("traceId") in traces]
    for document in files.get("metrics", []) if "metrics" in rule else []:
        for scope, kind in records(document, ["metrics"]):
            scope[kind] = [metric for metric in scope[kind] if re.fullmatch(rule["metrics"], metric["name"])]
    return {name: [d for d in map(without_empty, documents) if d is not None] for name, documents in files.items()}


def main(raw, fixtures, names):
    for folder in sorted(raw.iterdir()):
        if names and folder.name not in names:
            continue
        rule = KEPT.get(folder.name, {})
        files = {p.stem: [json.loads(line) for line in p.read_text().splitlines()][: rule.get("requests")] for p in sorted(folder.glob("*.json"))}
        for name, documents in trimmed(files, rule).items():
            values(documents)
            target = fixtures / folder.name / f"{name}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            lines = [replaced(json.dumps(document, ensure_ascii=False)) for document in documents]
            target.write_text("".join(line + "\n" for line in lines))
            print(f"{target}: {len(lines)} requests, {target.stat().st_size} bytes")


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
