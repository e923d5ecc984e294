"""A small shop of five services that Spanglass is shown with. `make demo` runs it; docs/demo.md tells about it."""
