"""Take OTLP over HTTP and write each request as one line of OTLP/JSON: POST /NAME/v1/traces goes to FOLDER/NAME/traces.json.

usage: receiver.py FOLDER PORT. JSON bodies are kept as they are sent; protobuf is written by the rules of OTLP/JSON.
"""
import gzip, json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parents[3] / "e2e"))
from official_json import official_json
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
TYPES = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
FOLDER = Path(sys.argv[1])
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            out = b""
            while n := int(self.rfile.readline().split(b";")[0], 16):
                out += self.rfile.read(n); self.rfile.readline()
            self.rfile.readline()
            return out
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))
    def do_POST(self):
        body = self.read_body()
        if self.headers.get("Content-Encoding") == "gzip": body = gzip.decompress(body)
        _, name, _, signal = self.path.split("/")
        typ = self.headers.get("Content-Type", "")
        doc = json.loads(body) if "json" in typ else official_json(TYPES[signal].FromString(body))
        d = FOLDER / name; d.mkdir(parents=True, exist_ok=True)
        with (d / f"{signal}.json").open("a") as f: f.write(json.dumps(doc, ensure_ascii=False) + "\n")
        with (d / "headers.txt").open("a") as f: f.write(f"{signal} {typ} {self.headers.get('User-Agent')} {len(body)}\n")
        reply = b"{}" if "json" in typ else b""
        self.send_response(200); self.send_header("Content-Type", typ); self.send_header("Content-Length", str(len(reply))); self.end_headers(); self.wfile.write(reply)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), H).serve_forever()
