import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.registry.otlp.AggregationTemporality;
import io.micrometer.registry.otlp.HistogramFlavor;
import io.micrometer.registry.otlp.OtlpConfig;
import io.micrometer.registry.otlp.OtlpMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A till with Micrometer's OTLP registry: cumulative or delta, timers as histograms, exponential histograms or summaries. */
public class Till {
  static OtlpMeterRegistry registry(String url, AggregationTemporality temporality) {
    return new OtlpMeterRegistry(new OtlpConfig() {
      @Override public String get(String key) { return null; }
      @Override public String url() { return url; }
      @Override public Duration step() { return Duration.ofSeconds(2); }
      @Override public AggregationTemporality aggregationTemporality() { return temporality; }
      @Override public HistogramFlavor histogramFlavor() { return HistogramFlavor.BASE2_EXPONENTIAL_BUCKET_HISTOGRAM; }
      @Override public Map<String, String> resourceAttributes() { return Map.of("service.name", "till-" + temporality.name().toLowerCase()); }
    }, Clock.SYSTEM);
  }

  public static void main(String[] args) throws Exception {
    MeterRegistry[] registries = {
      registry(args[0] + "/micrometer/v1/metrics", AggregationTemporality.CUMULATIVE),
      registry(args[0] + "/micrometer-delta/v1/metrics", AggregationTemporality.DELTA),
    };
    AtomicInteger queue = new AtomicInteger();
    for (MeterRegistry registry : registries) Gauge.builder("till.queue", queue, AtomicInteger::get).baseUnit("people").register(registry);
    for (int i = 0; i < 20; i++) {
      queue.set(i % 4);
      for (MeterRegistry registry : registries) {
        Counter.builder("till.sales").tag("kind", i % 5 == 0 ? "refund" : "sale").register(registry).increment();
        Timer.builder("till.scan").publishPercentileHistogram().register(registry).record(Duration.ofMillis(20 + 7 * i));
        Timer.builder("till.payment").publishPercentiles(0.5, 0.99).register(registry).record(Duration.ofMillis(300 + 10 * i));
        Timer.builder("till.change").serviceLevelObjectives(Duration.ofMillis(50), Duration.ofMillis(200)).register(registry).record(Duration.ofMillis(10 * i));
        DistributionSummary.builder("till.basket").baseUnit("items").register(registry).record(i);
      }
      Thread.sleep(410);
    }
    for (MeterRegistry registry : registries) registry.close();
  }
}
