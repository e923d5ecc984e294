"""Two services with jaeger-client (thrift over UDP, no shared ids): cart calls pricing, which raises."""
import logging, sys, time
import opentracing
from jaeger_client import Config
from opentracing.ext import tags

def tracer(service):
    return Config({"sampler": {"type": "const", "param": 1}, "local_agent": {"reporting_host": "127.0.0.1", "reporting_port": sys.argv[1]}},
                  service_name=service, validate=True).new_tracer()
cart, pricing = tracer("cart"), tracer("pricing")
try:
    with cart.start_active_span("GET /cart", tags={tags.SPAN_KIND: tags.SPAN_KIND_RPC_SERVER, tags.HTTP_METHOD: "GET", tags.HTTP_URL: "http://cart/cart"}):
        with cart.start_active_span("price of", tags={tags.SPAN_KIND: tags.SPAN_KIND_RPC_CLIENT, tags.PEER_SERVICE: "pricing"}) as call:
            headers = {}
            cart.inject(call.span, opentracing.Format.HTTP_HEADERS, headers)
            call.span.set_baggage_item("customer", "c-17")
            time.sleep(0.002)
            with pricing.start_active_span("Price", child_of=pricing.extract(opentracing.Format.HTTP_HEADERS, headers),
                    tags={tags.SPAN_KIND: tags.SPAN_KIND_RPC_SERVER}) as serving:
                serving.span.log_kv({"event": "cache miss", "sku": "tea"})
                time.sleep(0.005)
                with pricing.start_active_span("load prices", tags={tags.DATABASE_TYPE: "sql", tags.DATABASE_STATEMENT: "SELECT price FROM prices WHERE sku = ?", tags.SPAN_KIND: tags.SPAN_KIND_RPC_CLIENT}):
                    time.sleep(0.003)
                    raise LookupError("no price for tea")
except LookupError:
    pass
time.sleep(1)
cart.close(), pricing.close()
time.sleep(1.5)
