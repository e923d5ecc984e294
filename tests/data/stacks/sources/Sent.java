package com.shop;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.LoggingEvent;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Prints what is sent of an exception: group, how, type, message and stack, in base64. */
public class Sent {
  private static final InMemorySpanExporter SPANS = InMemorySpanExporter.create();
  private static final SdkTracerProvider PROVIDER =
      SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(SPANS)).build();

  public static void write(String group, String sent, Throwable error) {
    String type = error.getClass().getName();
    String message = error.getMessage();
    String stack;
    if (sent.startsWith("log")) {
      stack = logged(sent.substring(sent.indexOf('%'), sent.indexOf(" of ")), error);
    } else {
      Span span = PROVIDER.get("shop").spanBuilder("work").startSpan();
      span.recordException(error);
      span.end();
      Attributes attributes = SPANS.getFinishedSpanItems().get(0).getEvents().get(0).getAttributes();
      SPANS.reset();
      type = attributes.get(AttributeKey.stringKey("exception.type"));
      message = attributes.get(AttributeKey.stringKey("exception.message"));
      stack = attributes.get(AttributeKey.stringKey("exception.stacktrace"));
    }
    System.out.println(String.join("\t", "SENT", group, sent, coded(type), coded(message), coded(stack)));
  }

  private static String logged(String pattern, Throwable error) {
    LoggerContext context = new LoggerContext();
    PatternLayout layout = new PatternLayout();
    layout.setContext(context);
    layout.setPattern(pattern);
    layout.start();
    LoggingEvent event = new LoggingEvent("shop", context.getLogger("shop"), Level.ERROR, "failed", error, null);
    event.getThrowableProxy();
    if (pattern.equals("%xEx")) {
      ((ch.qos.logback.classic.spi.ThrowableProxy) event.getThrowableProxy()).calculatePackagingData();
    }
    return layout.doLayout(event);
  }

  private static String coded(String text) {
    return text == null ? "" : Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
