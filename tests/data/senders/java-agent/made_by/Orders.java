import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.logging.log4j.LogManager;

/** An HTTP service under OpenTelemetry's Java agent: JDBC, the JDK's HTTP client, java.util.logging and log4j. */
public class Orders {
  static final Logger JUL = Logger.getLogger("shop.orders");
  static final org.apache.logging.log4j.Logger LOG4J = LogManager.getLogger("shop.stock");

  static int order(HttpExchange exchange) throws Exception {
    String sku = exchange.getRequestURI().getQuery().substring(4);
    try (Connection db = DriverManager.getConnection("jdbc:h2:mem:orders;DB_CLOSE_DELAY=-1")) {
      try (PreparedStatement query = db.prepareStatement("SELECT amount FROM stock WHERE sku = ?")) {
        query.setString(1, sku);
        ResultSet rows = query.executeQuery();
        if (!rows.next()) throw new IllegalArgumentException("sku " + sku + " is unknown");
      }
      if (sku.equals("bad")) db.createStatement().executeQuery("SELECT nothing FROM nowhere");
    } catch (SQLException e) {
      throw new IllegalStateException("stock could not be read", e);
    }
    String self = "http://127.0.0.1:" + exchange.getLocalAddress().getPort() + "/price";
    HttpResponse<String> price = HttpClient.newHttpClient().send(
        HttpRequest.newBuilder(URI.create(self)).build(), HttpResponse.BodyHandlers.ofString());
    LOG4J.warn("only few of {} are left", sku);
    JUL.log(Level.INFO, "ordered {0} at {1}", new Object[] {sku, price.body()});
    JUL.fine("not shown");
    return 200;
  }

  static void serve(HttpExchange exchange) throws IOException {
    int code = 500;
    String body = "";
    try {
      if (exchange.getRequestURI().getPath().equals("/price")) { body = "3.50"; code = 200; }
      else code = order(exchange);
    } catch (Exception e) {
      JUL.log(Level.SEVERE, "order failed", e);
      LOG4J.fatal("order failed for good", e);
    }
    exchange.sendResponseHeaders(code, body.length() == 0 ? -1 : body.length());
    exchange.getResponseBody().write(body.getBytes());
    exchange.close();
  }

  public static void main(String[] args) throws Exception {
    try (Connection db = DriverManager.getConnection("jdbc:h2:mem:orders;DB_CLOSE_DELAY=-1")) {
      db.createStatement().execute("CREATE TABLE stock (sku VARCHAR PRIMARY KEY, amount INT)");
      db.createStatement().execute("INSERT INTO stock VALUES ('tea', 2), ('bad', 0)");
    }
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.setExecutor(java.util.concurrent.Executors.newFixedThreadPool(4));
    server.createContext("/", Orders::serve);
    server.start();
    HttpClient client = HttpClient.newHttpClient();
    for (int i = 0; i < 12; i++) {
      String sku = i == 4 ? "none" : i == 8 ? "bad" : "tea";
      URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/order?sku=" + sku);
      client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
      Thread.sleep(900);
    }
    System.exit(0);
  }
}
