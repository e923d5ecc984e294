"""Other services (Teams, Telegram, Discord, ntfy ...) through the library apprise, in a process of its own."""
