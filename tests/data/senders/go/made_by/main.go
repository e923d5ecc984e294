// A gateway with OpenTelemetry's Go SDK: otelhttp, slog through otelslog, recorded errors and a recovered panic.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type StockError struct{ Sku string }

func (e *StockError) Error() string { return "sku " + e.Sku + " is unknown" }

var log *slog.Logger

func reserve(ctx context.Context, sku string) (err error) {
	ctx, span := otel.Tracer("gateway").Start(ctx, "reserve", trace.WithAttributes(attribute.String("sku", sku)))
	defer span.End()
	time.Sleep(3 * time.Millisecond)
	switch sku {
	case "none":
		err = fmt.Errorf("could not reserve: %w", &StockError{sku})
		span.RecordError(err, trace.WithStackTrace(true))
		span.SetStatus(codes.Error, err.Error())
		log.ErrorContext(ctx, "could not reserve", "err", err, slog.Group("order", "id", 17, slog.Group("item", "sku", sku)))
	case "bad":
		recovering(ctx)
	}
	return err
}

// recovering panics within a span and goes on: End records the panic as an exception on the span, and recovers nothing.
func recovering(ctx context.Context) {
	defer func() {
		if r := recover(); r != nil {
			log.WarnContext(ctx, "panic recovered", "panic", fmt.Sprint(r))
		}
	}()
	_, span := otel.Tracer("gateway").Start(ctx, "refresh prices")
	defer span.End()
	panic(errors.New("price list is empty"))
}

func main() {
	ctx, url := context.Background(), os.Args[1]
	res, _ := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "gateway"), attribute.String("service.version", "2.0.1")), resource.WithTelemetrySDK())
	te, _ := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url+"/v1/traces"))
	le, _ := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(url+"/v1/logs"))
	me, _ := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(url+"/v1/metrics"))
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(te), sdktrace.WithResource(res))
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(le)), sdklog.WithResource(res))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(me, sdkmetric.WithInterval(2*time.Second))), sdkmetric.WithResource(res))
	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(meters)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	log = otelslog.NewLogger("gateway", otelslog.WithLoggerProvider(logs)).With("region", "eu")

	served, _ := otel.Meter("gateway").Int64Counter("gateway.served", metric.WithUnit("{request}"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /buy/{sku}", func(w http.ResponseWriter, r *http.Request) {
		log.WithGroup("request").InfoContext(r.Context(), "buying", "sku", r.PathValue("sku"), "took", 1500*time.Microsecond, "at", time.Unix(1700000000, 0))
		if err := reserve(r.Context(), r.PathValue("sku")); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		served.Add(r.Context(), 1, metric.WithAttributes(attribute.String("sku", r.PathValue("sku"))))
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("handler failed") })
	server := httptest.NewServer(otelhttp.NewHandler(mux, "gateway"))
	client := http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}
	for _, path := range []string{"/buy/tea", "/buy/none", "/buy/bad", "/panic", "/buy/tea"} {
		ctx, span := otel.Tracer("gateway").Start(ctx, "customer")
		req, _ := http.NewRequestWithContext(ctx, "GET", server.URL+path, nil)
		if answer, err := client.Do(req); err == nil {
			answer.Body.Close()
		}
		span.End()
		time.Sleep(900 * time.Millisecond)
	}
	log.Log(ctx, slog.Level(1), "between info and warn")
	log.Debug("not lost")
	_, _, _ = traces.Shutdown(ctx), logs.Shutdown(ctx), meters.Shutdown(ctx)
}
