"""Names that the JVM's compilers and libraries make up, without the parts that change from build to build."""

from __future__ import annotations

import re

_CLASS = (
    # Stock$$EnhancerBySpringCGLIB$$1f2e3d, Stock$$SpringCGLIB$$0, Stock$MockitoMock$12345, Stock$HibernateProxy$Ab12
    (re.compile(r"\$\$?\w*?(CGLIB|MockitoMock|HibernateProxy|ByteBuddy|WeldProxy|WeldSubclass)\$.*"), r"$$\1"),
    (re.compile(r"_\$\$_(jvst|javassist|Weld)\w*"), r"$$\1"),
    (re.compile(r"\$\$Lambda.*"), "$$Lambda"),
    (re.compile(r"^\$Proxy\d+"), "$Proxy"),
    (re.compile(r"^(?:Generated\w*Accessor|LambdaForm\$\w+)\d*.*"), "Generated"),
    (re.compile(r"__\d+"), ""),  # Clojure: core$reserve$fn__1234
    (re.compile(r"(?:\$\d+)+"), ""),  # anonymous classes are numbered through
)
_METHOD = (
    (re.compile(r"^lambda\$(.*?)\$\d+$"), r"\1"),
    (re.compile(r"^\$anonfun\$(.*?)(?:\$\d+)+(?:\$adapted)?$"), r"\1"),
    (re.compile(r"^(.*?)\$\$anonfun(?:\$\d+)*(?:\$adapted)?$"), r"\1"),  # Scala 3
    (re.compile(r"^(.+?)\$lambda(?:\$(?:\d+|lambda))*$"), r"\1"),  # Kotlin 2
    (re.compile(r"_aroundBody\d+$"), ""),  # AspectJ
    (re.compile(r"^CGLIB\$(\w+)\$\d+$"), r"\1"),
    (re.compile(r"-[0-9A-Za-z_]{7}(?=$|\$)"), ""),  # Kotlin: parameters of inline classes, reserve-tY5x9k2
    (re.compile(r"__\d+"), ""),
    (re.compile(r"(?:\$\d+)+"), ""),
)
_MADE = re.compile(
    r"\$\$(?:\w*CGLIB|Lambda|FastClass|ExternalSynthetic)|^\$Proxy\d|^\$\$?Lambda|\$MockitoMock\$|\$HibernateProxy\$"
    r"|_(?:Subclass|ClientProxy)$|\$Intercepted$|_\$\$_"  # Quarkus, Micronaut, Javassist
)


def is_made(name: str) -> bool:
    """Whether a class was made at run time, and so is nobody's code: proxies, lambdas' own classes."""
    return ("$" in name or "_" in name) and _MADE.search(name) is not None


def stable_class(name: str) -> str:
    """A class's name without the numbers of proxies, lambdas and anonymous classes."""
    if "$" not in name and "_" not in name and not name.startswith("Generated"):
        return name
    for pattern, replacement in _CLASS:
        name = pattern.sub(replacement, name)
    return name


def stable_method(name: str) -> str:
    """A method's name without the numbers of lambdas and mangled parameters."""
    if "$" not in name and "-" not in name and "_" not in name:
        return name
    for pattern, replacement in _METHOD:
        name = pattern.sub(replacement, name)
    return name
