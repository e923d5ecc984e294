#!/usr/bin/env bash
# OpenTelemetry for Node.js over JSON: one NaN or one large number, and the Collector refuses the whole request.
#
# Guess:    an attribute is stored with the type it has in the program, JSON and protobuf carry the same, and an odd
#           value harms nothing but itself.
# Instead:  a number is an integer if it has no fraction: price 2.00 is an int, 2.50 a double, of the same key. With
#           protobuf, 1e20 is sent as a double and NaN as NaN. With JSON, 1e20 is sent as an integer beyond 64 bits and
#           NaN as `"doubleValue": null`. The Collector's decoder refuses either for the whole request, spans of other
#           work included, and the exporter does not try again.
# Versions: @opentelemetry/exporter-trace-otlp-http and -proto 0.223.1, sdk-trace-base 2.12.1; decoder
#           go.opentelemetry.io/collector/pdata 1.71.0.
# Needs:    Node.js 20, Go 1.26.
# Matters:  0/0 in one handler empties a batch of 512 spans, with JSON only. A backend that wants to keep what the
#           official SDK sends must read integers past 64 bits and a value of null, and expect one key in two types.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 \
    @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/exporter-trace-otlp-proto@0.223.1 > npm.log

cat > send.js <<'EOF'
const fs = require("fs");
const http = require("http");
const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const exporters = {
  json: require("@opentelemetry/exporter-trace-otlp-http").OTLPTraceExporter,
  protobuf: require("@opentelemetry/exporter-trace-otlp-proto").OTLPTraceExporter,
};
const values = { "2.00": 2.0, "2.50": 2.5, "1e20": 1e20, NaN: NaN };
let path;
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    fs.writeFileSync(path, Buffer.concat(parts));
    response.end("{}");
  });
});
server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}/v1/traces`;
  for (const [encoding, Exporter] of Object.entries(exporters)) {
    for (const [name, value] of Object.entries(values)) {
      path = `${name}.${encoding}`;
      const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new Exporter({ url }))] });
      const tracer = provider.getTracer("finding");
      tracer.startSpan("sound").end();
      tracer.startSpan("odd", { attributes: { price: value } }).end();
      await provider.shutdown();
    }
  }
  server.close();
});
EOF
node --version
node send.js

mkdir decode
cd decode
cat > go.mod <<'EOF'
module finding

go 1.25

require go.opentelemetry.io/collector/pdata v1.71.0
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// decode reads a request as the Collector does and describes the attribute of its second span.
func decode(encoding string, body []byte) string {
	var traces ptrace.Traces
	var err error
	if encoding == "json" {
		traces, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
	} else {
		traces, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	}
	if err != nil {
		return "refused: " + strings.SplitN(err.Error(), ", error found", 2)[0]
	}
	spans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	value, _ := spans.At(1).Attributes().Get("price")
	return fmt.Sprintf("%d spans, %s %s", spans.Len(), value.Type(), value.AsString())
}

func main() {
	right := [][3]string{
		{"2.00", "json", "2 spans, Int 2"}, {"2.00", "protobuf", "2 spans, Int 2"},
		{"2.50", "json", "2 spans, Double 2.5"}, {"2.50", "protobuf", "2 spans, Double 2.5"},
		{"1e20", "json", "refused"}, {"1e20", "protobuf", "2 spans, Double 100000000000000000000"},
		{"NaN", "json", "refused"}, {"NaN", "protobuf", "2 spans, Double NaN"},
	}
	for _, each := range right {
		body, err := os.ReadFile("../" + each[0] + "." + each[1])
		if err != nil {
			panic(err)
		}
		result := decode(each[1], body)
		fmt.Printf("  %-5s %-9s %s\n", each[0], each[1], result)
		if !strings.HasPrefix(result, each[2]) {
			fmt.Println("behaves differently now")
			os.Exit(1)
		}
	}
}
EOF
GOFLAGS=-mod=mod go mod tidy > tidy.log 2>&1
go build -o decode .
./decode
echo "As described."
