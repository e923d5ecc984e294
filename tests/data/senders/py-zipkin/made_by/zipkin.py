"""Two services with py_zipkin: an edge calls accounts over HTTP; accounts joins the call's span and raises."""
import sys, threading, time, http.server, requests
from py_zipkin import Encoding, Kind
from py_zipkin.request_helpers import create_http_headers, extract_zipkin_attrs_from_headers
from py_zipkin.zipkin import zipkin_client_span, zipkin_server_span, zipkin_span

def transport(body):
    requests.post(sys.argv[1], data=body, headers={"Content-Type": "application/json"}, timeout=5).raise_for_status()

OPTIONS = {"transport_handler": transport, "encoding": Encoding.V2_JSON, "sample_rate": 100.0}

def login(attrs, port):
    with zipkin_server_span("accounts", "post /login", port=port, zipkin_attrs=attrs, **OPTIONS) as span:
        span.update_binary_annotations({"http.method": "POST", "http.path": "/login"})
        time.sleep(0.01)
        with zipkin_span(service_name="accounts", span_name="check password", kind=Kind.LOCAL):
            time.sleep(0.004)
            span.add_annotation("password checked")
        raise PermissionError("account is locked")

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        code = 200
        try:
            login(extract_zipkin_attrs_from_headers(self.headers), self.server.server_port)
        except PermissionError:
            code = 403
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with zipkin_server_span("edge", "post /session", port=8080, use_128bit_trace_id=False, **OPTIONS) as root:
    root.update_binary_annotations({"http.path": "/session"})
    time.sleep(0.003)
    with zipkin_client_span("edge", "call accounts") as call:
        call.add_sa_binary_annotation(port=server.server_port, service_name="accounts", host="127.0.0.1")
        answer = requests.post(f"http://127.0.0.1:{server.server_port}/login", headers=create_http_headers(), timeout=5)
        call.update_binary_annotations({"http.status_code": str(answer.status_code)})
server.shutdown()
