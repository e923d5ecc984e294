// Runs before the first paint: the chosen theme, and the reader's time zone for the server.
"use strict";
{
  const root = document.documentElement;
  root.dataset.js = "on";
  try {
    const theme = localStorage.getItem("spanglass.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    // once a session at most, and only if the cookie sticks: a server without this zone keeps to UTC
    if (zone && zone !== root.dataset.zone && sessionStorage.getItem("spanglass.zone") !== zone) {
      sessionStorage.setItem("spanglass.zone", zone);
      const cookie = `spanglass_zone=${encodeURIComponent(zone)}`;
      document.cookie = `${cookie}; path=/; max-age=31536000; samesite=lax`;
      if (document.cookie.includes(cookie)) location.reload();
    }
  } catch { /* storage is forbidden: the system's theme and UTC */ }
}
