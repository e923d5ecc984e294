"""Which code is the application's own."""

from __future__ import annotations

import pytest

from spanglass_core.stacks import in_app


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (in_app.python("/app/shop/stock.py"), True),
        (in_app.python("/usr/lib/python3/dist-packages/six.py"), False),
        (in_app.python("/opt/venv/lib/python3.12/site-packages/flask/app.py"), False),
        (in_app.python("C:\\venv\\Lib\\site-packages\\flask\\app.py"), False),
        (in_app.python("<frozen importlib._bootstrap>"), False),
        (in_app.python("<string>"), False),
        (in_app.javascript("/app/shop/app.js"), True),
        (in_app.javascript("https://shop.example/static/app.3f2a9c.js"), True),
        (in_app.javascript("/app/node_modules/express/lib/router.js"), False),
        (in_app.javascript("node:internal/process/task_queues"), False),
        (in_app.go("main", "/app/main.go"), True),
        (in_app.go("example.com/shop/stock", "/src/stock/take.go"), True),
        (in_app.go("shop/stock", "/src/stock/take.go"), True),
        (in_app.go("net/http", "/usr/local/go/src/net/http/server.go"), False),
        (in_app.go("github.com/pkg/errors", "/go/pkg/mod/github.com/pkg/errors@v0.9.1/errors.go"), False),
        (in_app.go("github.com/gin-gonic/gin", "github.com/gin-gonic/gin@v1.9.1/context.go"), False),
        (in_app.rust("shop", "/app/src/main.rs"), True),
        (in_app.rust("shop", "/srv/shop-1.2.3/main.rs"), True),
        (in_app.rust("some_crate", "/elsewhere/some-crate-0.3.1/src/lib.rs"), False),
        (in_app.rust("axum", ""), False),
        (in_app.python(r"C:\Python311\Lib\json\decoder.py"), False),
        (in_app.rust("shop", ""), True),
        (in_app.rust("core", "/rustc/59807616e1fa/library/core/src/panicking.rs"), False),
        (
            in_app.rust("axum", "/usr/local/cargo/registry/src/index-6f17d22bba15001f/axum-0.8.9/src/lib.rs"),
            False,
        ),
        (in_app.jvm("com.shop.Stock"), True),
        (in_app.jvm("java.util.HashMap"), False),
        (in_app.jvm("org.springframework.web.Servlet"), False),
        (in_app.dotnet("Shop.Stock"), True),
        (in_app.dotnet("System.Collections.Generic.Dictionary`2"), False),
        (in_app.ruby("/app/lib/stock.rb"), True),
        (in_app.ruby("/usr/local/bundle/gems/rack-3.0.8/lib/rack/head.rb"), False),
        (in_app.php("/srv/shop/src/Stock.php"), True),
        (in_app.php("/srv/shop/vendor/symfony/http-kernel/HttpKernel.php"), False),
    ],
)
def test_paths_and_modules(own: bool, expected: bool) -> None:  # noqa: FBT001
    """The application's own code is told from libraries by where it lies and what it is called."""
    assert own is expected
