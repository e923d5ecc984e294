// Two services with jaeger-client-go, RPC spans shared as Zipkin does: cart calls pricing, which logs an error event.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	opentracing "github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	jaeger "github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
	"github.com/uber/jaeger-client-go/zipkin"
)

func tracer(service string) (opentracing.Tracer, func()) {
	b3 := zipkin.NewZipkinB3HTTPHeaderPropagator()
	t, closer := jaeger.NewTracer(service, jaeger.NewConstSampler(true), jaeger.NewRemoteReporter(transport.NewHTTPTransport(os.Args[1])),
		jaeger.TracerOptions.ZipkinSharedRPCSpan(true), jaeger.TracerOptions.Injector(opentracing.HTTPHeaders, b3), jaeger.TracerOptions.Extractor(opentracing.HTTPHeaders, b3))
	return t, func() { closer.Close() }
}

func main() {
	cart, closeCart := tracer("cart-go")
	pricing, closePricing := tracer("pricing-go")
	root := cart.StartSpan("GET /cart")
	ext.SpanKindRPCServer.Set(root)
	call := cart.StartSpan("price of", opentracing.ChildOf(root.Context()))
	ext.SpanKindRPCClient.Set(call)
	ext.PeerService.Set(call, "pricing-go")
	headers := http.Header{}
	if err := cart.Inject(call.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers)); err != nil {
		panic(err)
	}
	time.Sleep(2 * time.Millisecond)
	from, _ := pricing.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(headers))
	serving := pricing.StartSpan("Price", ext.RPCServerOption(from))
	time.Sleep(5 * time.Millisecond)
	load := pricing.StartSpan("load prices", opentracing.ChildOf(serving.Context()))
	time.Sleep(3 * time.Millisecond)
	load.LogFields(log.String("event", "slow query"), log.Int("rows", 0))
	load.Finish()
	err := fmt.Errorf("no price: %w", errors.New("tea is unknown"))
	ext.LogError(serving, err, log.String("stack", "main.price\n\tmain.go:44"))
	serving.Finish()
	time.Sleep(time.Millisecond)
	ext.HTTPStatusCode.Set(call, 500)
	call.LogKV("event", "error", "message", "pricing answered 500")
	ext.Error.Set(call, true)
	call.Finish()
	ext.HTTPStatusCode.Set(root, 200)
	root.Finish()
	closePricing()
	closeCart()
}
