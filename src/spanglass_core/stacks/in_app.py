"""Which code is the application's own, by its path or its module: one table a language.

Not its own are the language's library and runtime, installed packages, and what frameworks are made of. Paths are
compared with forward slashes, also those of Windows.
"""

from __future__ import annotations

import re

_PYTHON_PARTS = ("/site-packages/", "/dist-packages/", "/lib/python3", "/lib/python2", "/lib64/python3", "/lib/pypy")
_PYTHON_STARTS = ("<", "site-packages/", "dist-packages/", "lib/python3")  # "<frozen importlib._bootstrap>", "<string>"

#: The standard library on Windows, where its folder says no version: ``C:\\Python311\\Lib\\json\\decoder.py``.
_PYTHON_WINDOWS = re.compile(r"/(?:python|anaconda|miniconda|miniforge)[\d.]*(?:/envs/[^/]+)?/lib/", re.IGNORECASE)

_JAVASCRIPT_PARTS = ("/node_modules/", "/.yarn/", "/webpack/runtime", "/webpack/bootstrap", "(webpack)/")
_JAVASCRIPT_STARTS = (
    *("node:", "internal/", "node_modules/", "native", "<anonymous>", "ext:", "deno:", "bun:", "npm:", "jsr:"),
    *(
        "https://deno.land/",
        "chrome-extension://",
        "moz-extension://",
        "safari-extension://",
        "safari-web-extension://",
    ),
)

_GO_PARTS = ("@v", "/pkg/mod/", "/vendor/", "/go/src/runtime/", "/usr/local/go/src/", "/libexec/src/")

#: First parts of the paths of Go's standard library.
_GO_PACKAGES = frozenset(
    (
        *("archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto", "database"),
        *("debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index"),
        *("internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect"),
        *("regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall", "testing"),
        *("text", "time", "unicode", "unique", "unsafe", "vendor", "weak"),
    )
)

#: Where no file says it: the standard library, and crates that many applications run in.
_RUST_CRATES = frozenset(
    (
        *("std", "core", "alloc", "proc_macro", "test", "backtrace", "rustc_demangle", "__rustc", "gimli", "addr2line"),
        *("anyhow", "eyre", "color_eyre", "thiserror", "tokio", "tokio_util", "tokio_stream", "async_std", "smol"),
        *("futures", "futures_core", "futures_util", "futures_executor", "futures_channel", "mio", "bytes", "log"),
        *(
            "hyper",
            "hyper_util",
            "h2",
            "http",
            "http_body",
            "axum",
            "axum_core",
            "tower",
            "tower_http",
            "tower_service",
        ),
        *("actix_web", "actix_http", "actix_rt", "actix_server", "actix_service", "warp", "rocket", "poem", "tonic"),
        *("prost", "reqwest", "ureq", "rustls", "openssl", "native_tls", "serde", "serde_json", "serde_core", "clap"),
        *("sqlx", "sqlx_core", "diesel", "sea_orm", "rusqlite", "redis", "rayon", "rayon_core", "crossbeam", "regex"),
        *(
            "tracing",
            "tracing_core",
            "tracing_subscriber",
            "tracing_opentelemetry",
            "opentelemetry",
            "opentelemetry_sdk",
        ),
        *("lambda_runtime", "parking_lot", "once_cell", "chrono", "time", "rand", "url", "uuid", "bevy", "bevy_ecs"),
    )
)
_RUST_PARTS = ("/rustc/", "/.cargo/registry/", "/.cargo/git/", "/cargo/registry/", "/rustlib/src/", "/library/std/src/")
_RUST_VERSIONED = re.compile(r"/[\w-]+-\d+\.\d+\.\d+[\w.+-]*/(?:src/|lib)")  # any registry, wherever it lies
_RUST_STARTS = ("library/std/", "library/core/", "library/alloc/")

_JVM_STARTS = (
    *(
        "java.",
        "javax.",
        "jakarta.",
        "jdk.",
        "sun.",
        "com.sun.",
        "kotlin.",
        "kotlinx.",
        "scala.",
        "groovy.",
        "clojure.",
    ),
    *("org.sqlite.", "org.json.", "org.bson.", "org.neo4j.", "org.flywaydb.", "org.bouncycastle.", "org.yaml."),
    *("org.joda.time.", "org.testng.", "org.testcontainers.", "org.opensearch.", "org.keycloak.", "org.http4s."),
    *("org.mongodb.", "org.jdbi.", "org.redisson.", "org.infinispan.", "org.ehcache.", "org.flowable.", "org.camunda."),
    *("com.oracle.", "com.ibm.", "com.vaadin.", "com.hazelcast.", "com.datastax.", "com.clickhouse.", "com.stripe."),
    *("com.twitter.", "com.typesafe.", "com.jayway.", "com.lmax.", "com.codahale.", "com.github.benmanes."),
    *("io.dropwizard.", "io.javalin.", "io.swagger.", "io.sentry.", "io.prometheus.", "io.kubernetes.", "io.r2dbc."),
    *(
        "redis.clients.",
        "ratpack.",
        "slick.",
        "doobie.",
        "fs2.",
        "sttp.",
        "arrow.",
        "ring.",
        "compojure.",
        "liquibase.",
    ),
    *("org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.", "org.glassfish."),
    *("org.codehaus.", "org.slf4j.", "org.junit.", "org.mockito.", "org.h2.", "org.postgresql.", "org.mariadb."),
    *("org.aspectj.", "org.thymeleaf.", "org.quartz.", "org.mybatis.", "org.jooq.", "org.gradle.", "org.graalvm."),
    *("org.reactivestreams.", "org.jetbrains.", "org.objectweb.", "org.elasticsearch."),
    *("io.netty.", "io.vertx.", "io.quarkus.", "io.micronaut.", "io.ktor.", "io.grpc.", "io.opentelemetry."),
    *(
        "io.undertow.",
        "io.reactivex.",
        "io.lettuce.",
        "io.micrometer.",
        "io.smallrye.",
        "io.jsonwebtoken.",
        "io.helidon.",
    ),
    *(
        "reactor.",
        "rx.",
        "akka.",
        "play.",
        "okhttp3.",
        "okio.",
        "retrofit2.",
        "feign.",
        "ch.qos.logback.",
        "net.bytebuddy.",
    ),
    *(
        "net.sf.cglib.",
        "net.sf.ehcache.",
        "junit.",
        "javassist.",
        "android.",
        "com.android.",
        "androidx.",
        "dalvik.",
        "cats.",
        "zio.",
    ),
    *("com.google.common.", "com.google.gson.", "com.google.inject.", "com.google.protobuf.", "com.google.android."),
    *("com.fasterxml.", "com.zaxxer.", "com.mysql.", "com.mongodb.", "com.rabbitmq.", "com.netflix.", "com.squareup."),
    *(
        "com.amazonaws.",
        "software.amazon.awssdk.",
        "com.microsoft.",
        "oracle.jdbc.",
        "com.intellij.",
        "worker.org.gradle.",
    ),
)

_DOTNET_STARTS = (
    *(
        "FSharp.",
        "Oracle.",
        "Elastic.",
        "Nest.",
        "Orleans.",
        "Akka.",
        "Marten.",
        "Wolverine.",
        "NServiceBus.",
        "Rebus.",
    ),
    *("RestSharp.", "Flurl.", "Duende.", "HotChocolate.", "GraphQL.", "ServiceStack.", "UnityEngine.", "NHibernate."),
    *("LinqToDB.", "Moq.", "CsvHelper.", "Yarp.", "SixLabors.", "Avalonia.", "Sentry.", "Datadog.", "IdentityServer4."),
    *("System.", "Microsoft.", "Interop.", "Internal.", "MS.", "Mono.", "Windows.", "OpenTelemetry.", "Newtonsoft."),
    *("Npgsql.", "MySql.", "MySqlConnector.", "Dapper.", "Grpc.", "Polly.", "MassTransit.", "MediatR.", "AutoMapper."),
    *(
        "Serilog.",
        "NLog.",
        "FluentValidation.",
        "StackExchange.",
        "Castle.",
        "Autofac.",
        "Xunit.",
        "NUnit.",
        "RabbitMQ.",
    ),
    *("Azure.", "Amazon.", "Google.", "Confluent.", "MongoDB.", "Hangfire.", "Quartz.", "Swashbuckle.", "Refit."),
    "lambda_method",
)

_RUBY_PARTS = ("/gems/", "/lib/ruby/", "/ruby/3.", "/ruby/2.", "/vendor/bundle/", "/rubygems/", "/bundler/")
_RUBY_STARTS = ("<internal:", "(eval", "gems/")

_PHP_PARTS = ("/vendor/", "/usr/share/php", "phar://", "/pear/")
_PHP_STARTS = ("[internal function]", "vendor/", "{main}")

#: First parts of the namespaces of frameworks and libraries.
_PHP_NAMESPACES = frozenset(
    (
        *("Amp", "Aws", "Cake", "Carbon", "CodeIgniter", "Composer", "Doctrine", "Google", "GuzzleHttp", "Http"),
        *("Illuminate", "Laminas", "Laravel", "League", "Livewire", "Monolog", "Nette", "Nyholm", "OpenTelemetry"),
        *("PHPUnit", "Phalcon", "Pest", "PhpAmqpLib", "Predis", "Psr", "Ramsey", "React", "Revolt", "Slim", "Stripe"),
        *("Spatie", "Symfony", "Twig", "Workerman", "Yiisoft", "Zend", "yii"),
    )
)


def _slashed(path: str) -> str:
    return path.replace("\\", "/") if "\\" in path else path


def python(file: str) -> bool:
    """Whether a file of Python is the application's: installed nowhere, and a file at all."""
    path = _slashed(file)
    if not path or path.startswith(_PYTHON_STARTS) or _has(path, _PYTHON_PARTS):
        return False
    return path is file or _PYTHON_WINDOWS.search(path) is None


def javascript(file: str) -> bool:
    """Whether a script is the application's: not of the runtime, and not below ``node_modules``."""
    path = _slashed(file)
    return bool(path) and not path.startswith(_JAVASCRIPT_STARTS) and not _has(path, _JAVASCRIPT_PARTS)


def go(package: str, file: str) -> bool:
    """Whether a package of Go is the application's.

    Packages of the standard library have no dot in the first part of their path; nor have modules that are called so
    (``module shop``), so the file decides if it is known to be Go's. ``main`` is always the application's.
    """
    path = _slashed(file)
    if _has(path, _GO_PARTS) or package.startswith(("runtime.", "vendor/")) or package in _GO_PACKAGES:
        return False
    if package == "main" or package.startswith("main/"):
        return True
    return package.partition("/")[0] not in _GO_PACKAGES


def rust(crate: str, file: str) -> bool:
    """Whether a crate of Rust is the application's: neither of the standard library nor from a registry."""
    path = _slashed(file)
    if path:
        if path.startswith(_RUST_STARTS) or _has(path, _RUST_PARTS) or crate in _RUST_CRATES:
            return False
        return _RUST_VERSIONED.search(path) is None
    return bool(crate) and crate not in _RUST_CRATES


def jvm(name: str) -> bool:
    """Whether a class of the JVM, by its qualified name, is the application's."""
    return bool(name) and not name.startswith(_JVM_STARTS)


def dotnet(name: str) -> bool:
    """Whether a type of .NET, by its qualified name, is the application's."""
    return bool(name) and not name.startswith(_DOTNET_STARTS)


def ruby(file: str) -> bool:
    """Whether a file of Ruby is the application's: not of a gem, not Ruby's own."""
    path = _slashed(file)
    return bool(path) and not path.startswith(_RUBY_STARTS) and not _has(path, _RUBY_PARTS)


def php(file: str, namespace: str = "") -> bool:
    """Whether a file of PHP is the application's: not below ``vendor``, not internal.

    Where only the file's name is told, as OpenTelemetry PHP does, its namespace decides.
    """
    path = _slashed(file)
    if not path or path.startswith(_PHP_STARTS) or _has(path, _PHP_PARTS):
        return False
    return not namespace or namespace.partition("\\")[0] not in _PHP_NAMESPACES


def _has(path: str, parts: tuple[str, ...]) -> bool:
    return any(part in path for part in parts)
