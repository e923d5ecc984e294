// Changing the URL, which holds every page's state.

const SOON = 150; // ms; what answers faster needs no waiting line
let timer = 0;

/** Show the waiting line above the old answer, if the new one does not come at once. */
export function waiting() {
  clearTimeout(timer);
  timer = setTimeout(() => { const line = document.getElementById("wait"); if (line) line.hidden = false; }, SOON);
}

function stopWaiting() {
  clearTimeout(timer);
  const line = document.getElementById("wait");
  if (line) line.hidden = true;
}

function changed(changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url;
}

/** Load this page with some parameters changed; null takes one away. */
export function go(changes) {
  waiting();
  location.assign(changed({ cursor: null, ...changes }));
}

/** The same without loading: for what script shows by itself. */
export const remember = (changes) => history.replaceState(null, "", changed(changes));

/** Load this page for a range in milliseconds since 1970. */
export const zoom = (startMs, endMs) => go({ last: null, start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() });

export function start() {
  addEventListener("pageshow", stopWaiting);
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    for (const field of event.target.querySelectorAll("input[name], select[name]")) {
      if (field instanceof HTMLInputElement) field.value = field.value.trim();
      field.disabled = !field.value; // no empty parameters in the URL
    }
    setTimeout(() => { for (const field of event.target.elements) field.disabled = false; });
    waiting();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.origin === location.origin && !link.hasAttribute("download") && !link.getAttribute("href").startsWith("#")) waiting();
  });
}
