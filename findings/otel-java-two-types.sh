#!/usr/bin/env bash
# OpenTelemetry Java: one exception of a nested class has two types, one in span events and another one in log records.
#
# Guess:    exception.type is "the fully-qualified class name of the exception", so recording an exception on a span and
#           logging it tell the same type; and there always is one, as the SDK is given the exception itself.
# Instead:  recordException() sends the canonical name, "Shop.Empty"; the logback appender sends the name of the class,
#           "Shop$Empty", which is also what exception.stacktrace says in both. An anonymous class has no canonical name:
#           its span event has no exception.type at all.
# Versions: opentelemetry-sdk 1.44.1, opentelemetry-logback-appender-1.0 2.10.0-alpha. Needs Java 17 and Maven.
# Matters:  a count, a filter or a group by exception.type takes one failure for two, by the way it was sent, and misses
#           those without a type. The stack's first line has the same name in all of them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId><version>1.5.12</version>
    </dependency>
    <dependency>
      <groupId>io.opentelemetry</groupId><artifactId>opentelemetry-sdk-testing</artifactId><version>1.44.1</version>
    </dependency>
    <dependency>
      <groupId>io.opentelemetry.instrumentation</groupId>
      <artifactId>opentelemetry-logback-appender-1.0</artifactId><version>2.10.0-alpha</version>
    </dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib >/dev/null

cat > Shop.java <<'JAVA'
import ch.qos.logback.classic.Logger;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.instrumentation.logback.appender.v1_0.OpenTelemetryAppender;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.testing.exporter.InMemoryLogRecordExporter;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import org.slf4j.LoggerFactory;

class Shop {
  static class Empty extends RuntimeException {}

  static void print(String sent, Attributes attributes) {
    String stack = attributes.get(AttributeKey.stringKey("exception.stacktrace"));
    String type = attributes.get(AttributeKey.stringKey("exception.type"));
    System.out.println(sent + " says " + type + ", its stack " + stack.lines().findFirst().get());
  }

  public static void main(String[] args) {
    var spans = InMemorySpanExporter.create();
    var records = InMemoryLogRecordExporter.create();
    var tracing = SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(spans)).build();
    var logging = SdkLoggerProvider.builder().addLogRecordProcessor(SimpleLogRecordProcessor.create(records)).build();
    var sdk = OpenTelemetrySdk.builder().setTracerProvider(tracing).setLoggerProvider(logging).build();
    var appender = new OpenTelemetryAppender();
    appender.setOpenTelemetry(sdk);
    appender.start();
    var root = (Logger) LoggerFactory.getLogger("ROOT");
    root.detachAndStopAllAppenders();
    root.addAppender(appender);

    for (var error : new RuntimeException[] {new Empty(), new RuntimeException() {}}) {
      spans.reset();
      records.reset();
      var span = sdk.getTracer("shop").spanBuilder("take").startSpan();
      span.recordException(error);
      span.end();
      root.error("failed", error);
      print("span event", spans.getFinishedSpanItems().get(0).getEvents().get(0).getAttributes());
      print("log record", records.getFinishedLogRecordItems().get(0).getAttributes());
    }
  }
}
JAVA
java -cp 'lib/*' Shop.java 2>/dev/null | tee seen
diff seen - <<'SEEN'
span event says Shop.Empty, its stack Shop$Empty
log record says Shop$Empty, its stack Shop$Empty
span event says null, its stack Shop$1
log record says Shop$1, its stack Shop$1
SEEN
echo "As described."
