package com.shop;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.aspectj.lang.ProceedingJoinPoint;
import org.aspectj.lang.annotation.Around;
import org.aspectj.lang.annotation.Aspect;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.EnableAspectJAutoProxy;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.request.MockMvcRequestBuilders;
import org.springframework.test.web.servlet.setup.MockMvcBuilders;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Fails in many ways; Sent writes each failure down as it would be sent. */
public class Shop {
  static class StockException extends RuntimeException {
    StockException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  public static class Stock {
    public void take(String sku, int n) {
      // EDIT
      if (n > 3) throw new StockException("only 3 of " + sku + " left, not " + n, null);
    }

    public int price(String table) {
      try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
        return connection.createStatement().executeQuery("select price from " + table).getInt(1);
      } catch (SQLException error) {
        throw new StockException("no price in " + table, error);
      }
    }

    public int share(int... counts) {
      return Arrays.stream(counts).map(count -> 100 / count).sum();
    }

    public int deep(int depth) {
      if (depth == 0) throw new IllegalStateException("bottom of the shelf");
      return deep(depth - 1) + 1;
    }

    public int endless(int depth) {
      return endless(depth + 1) + 1;
    }

    public void close(String name) throws Exception {
      AutoCloseable shelf = () -> { throw new IOException("can't close " + name); };
      try (shelf) {
        throw new IllegalArgumentException("shelf " + name + " is\nbroken:\n\tat the left (side:3)");
      }
    }
  }

  interface Finder {
    Integer find(String sku);
  }

  public static class Shelves implements Finder {
    private final Map<String, Integer> places = new HashMap<>();

    public Integer find(String sku) {
      return places.get(sku).intValue();
    }
  }

  @Aspect
  public static class Timing {
    @Around("execution(* com.shop.Shop.Stock.*(..)) || execution(* com.shop.Shop.Shelves.*(..))")
    public Object timed(ProceedingJoinPoint point) throws Throwable {
      return point.proceed();
    }
  }

  @EnableAspectJAutoProxy
  public static class Proxied {}

  @RestController
  public static class Routes {
    @GetMapping("/cart/{id}")
    public String cart(@PathVariable String id) {
      return total(null);
    }

    @GetMapping("/order/{id}")
    public String order(@PathVariable String id) {
      return new Order().total(null);
    }

    @GetMapping("/take/{sku}")
    public String take(@PathVariable String sku) {
      new Stock().take(sku, 12);
      return "";
    }

    private String total(Map<String, String> cart) {
      return cart.get("total");
    }
  }

  static class Order {
    String total(String sum) {
      return sum.trim();
    }
  }

  interface Run {
    void run() throws Throwable;
  }

  static void fail(String group, String sent, Run run) {
    try {
      run.run();
    } catch (Throwable error) {
      Sent.write(group, sent, error);
    }
  }

  static void nested(Stock stock, int n) {
    try {
      stock.take("tea-" + n, n);
    } catch (StockException error) {
      throw new IllegalStateException("order " + n + " can't be kept", error);
    }
  }

  public static void main(String[] args) throws Throwable {
    int seed = Integer.parseInt(args[0]);
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(
        Proxied.class, Timing.class, Stock.class, Shelves.class);
    Stock plain = new Stock();
    Stock proxied = context.getBean(Stock.class);
    Finder finder = context.getBean(Finder.class);
    fail("jvm-empty", "span event", () -> plain.take("tea-" + seed, 4 + seed));
    fail("jvm-empty", "log record, %xEx of logback", () -> proxied.take("milk-" + seed, 5 + seed));
    fail("jvm-kept", "span event", () -> nested(proxied, 7 + seed));
    fail("jvm-kept", "log record, %rEx of logback", () -> nested(plain, 9 + seed));
    fail("jvm-price", "span event", () -> plain.price("prices_" + seed));
    fail("jvm-price", "log record, %ex of logback", () -> proxied.price("prices_" + seed * 7));
    fail("jvm-share", "span event", () -> plain.share(1, 0, seed));
    fail("jvm-deep", "span event", () -> plain.deep(3 + seed));
    fail("jvm-deep", "log record, %ex of logback", () -> proxied.deep(40 + seed));
    fail("jvm-endless", "span event", () -> plain.endless(seed));
    fail("jvm-close", "span event", () -> plain.close("A-" + seed));
    fail("jvm-close", "log record, %rEx of logback", () -> proxied.close("B-" + seed));
    fail("jvm-find", "span event", () -> finder.find("tea-" + seed));
    fail("jvm-pool-number", "span event",
        () -> CompletableFuture.completedFuture("4-" + seed).thenApplyAsync(Integer::parseInt).get());
    fail("jvm-pool-null", "span event",
        () -> CompletableFuture.completedFuture(null).thenApplyAsync(Objects::requireNonNull).get());
    MockMvc mvc = MockMvcBuilders.standaloneSetup(new Routes()).build();
    for (String route : List.of("cart", "order", "take")) {
      String group = route.equals("take") ? "jvm-route-take" : "jvm-route-" + route;
      fail(group, "span event", () -> mvc.perform(MockMvcRequestBuilders.get("/" + route + "/" + seed)));
    }
  }
}
