import brave.Tracing;
import brave.http.HttpServerHandler;
import brave.http.HttpServerRequest;
import brave.http.HttpServerResponse;
import brave.http.HttpTracing;
import brave.okhttp3.TracingInterceptor;
import brave.sampler.Sampler;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import zipkin2.reporter.brave.AsyncZipkinSpanHandler;
import zipkin2.reporter.urlconnection.URLConnectionSender;

/** Two services with Brave: storefront calls stock; stock joins the span of the call (shared ids) and fails once. */
public class Shop {
  static AsyncZipkinSpanHandler reporter;

  static HttpTracing tracing(String service) {
    return HttpTracing.create(Tracing.newBuilder().localServiceName(service).sampler(Sampler.ALWAYS_SAMPLE)
        .supportsJoin(true).addSpanHandler(reporter).build());
  }

  interface Handler { int handle(HttpExchange exchange) throws Exception; }

  static final class Wrapped extends HttpServerRequest {
    final HttpExchange exchange;
    Wrapped(HttpExchange exchange) { this.exchange = exchange; }
    @Override public Object unwrap() { return exchange; }
    @Override public String method() { return exchange.getRequestMethod(); }
    @Override public String path() { return exchange.getRequestURI().getPath(); }
    @Override public String route() { return exchange.getHttpContext().getPath(); }
    @Override public String url() { return "http://" + header("Host") + exchange.getRequestURI(); }
    @Override public String header(String name) { return exchange.getRequestHeaders().getFirst(name); }
  }

  static final class Answer extends HttpServerResponse {
    final int code; final Throwable error; final Wrapped request;
    Answer(int code, Throwable error, Wrapped request) { this.code = code; this.error = error; this.request = request; }
    @Override public Object unwrap() { return this; }
    @Override public int statusCode() { return code; }
    @Override public Throwable error() { return error; }
    @Override public HttpServerRequest request() { return request; }
    @Override public String route() { return request.route(); }
    @Override public String method() { return request.method(); }
  }

  static HttpServer serve(HttpTracing tracing, String path, Handler handler) throws IOException {
    HttpServerHandler<HttpServerRequest, HttpServerResponse> spans = HttpServerHandler.create(tracing);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext(path, exchange -> {
      Wrapped request = new Wrapped(exchange);
      brave.Span span = spans.handleReceive(request);
      int code = 500; Throwable error = null;
      try (brave.propagation.CurrentTraceContext.Scope scope = tracing.tracing().currentTraceContext().newScope(span.context())) {
        code = handler.handle(exchange);
      } catch (Exception e) { error = e; }
      spans.handleSend(new Answer(code, error, request), span);
      exchange.sendResponseHeaders(code, -1);
      exchange.close();
    });
    server.start();
    return server;
  }

  public static void main(String[] args) throws Exception {
    reporter = AsyncZipkinSpanHandler.create(URLConnectionSender.create(args[0]));
    HttpTracing stockTracing = tracing("stock"), frontTracing = tracing("storefront");
    HttpServer stock = serve(stockTracing, "/reserve", exchange -> {
      Thread.sleep(12);
      brave.ScopedSpan query = stockTracing.tracing().tracer().startScopedSpan("select");
      query.tag("sql.query", "select amount from stock where sku = ?");
      Thread.sleep(6);
      query.finish();
      if (exchange.getRequestURI().getQuery().equals("sku=none")) throw new IllegalStateException("sku none is unknown");
      return 200;
    });
    OkHttpClient client = new OkHttpClient.Builder().addNetworkInterceptor(TracingInterceptor.create(frontTracing)).build();
    HttpServer front = serve(frontTracing, "/buy", exchange -> {
      String url = "http://127.0.0.1:" + stock.getAddress().getPort() + "/reserve?" + exchange.getRequestURI().getQuery();
      try (okhttp3.Response response = client.newCall(new Request.Builder().url(url).build()).execute()) {
        return response.code() == 200 ? 200 : 502;
      }
    });
    OkHttpClient browser = new OkHttpClient();
    for (String sku : new String[] {"tea", "none"}) {
      String url = "http://127.0.0.1:" + front.getAddress().getPort() + "/buy?sku=" + sku;
      browser.newCall(new Request.Builder().url(url).build()).execute().close();
      Thread.sleep(300);
    }
    Thread.sleep(500);
    reporter.flush(); reporter.close();
    System.exit(0);
  }
}
