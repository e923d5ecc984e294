"""The five services, one module each. Every one has a `main()` that serves until SIGTERM."""
