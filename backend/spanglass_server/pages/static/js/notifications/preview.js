// A form whose page answers while it is typed: the parts with `data-part` are read anew from the server for what the
// form says, which also stands in the address. Without script the form's button does the same.

import { morph } from "../live.js";

const PAUSE = 350; // ms without typing before the server is asked

/** The address of this page for what a form says; empty fields are left out, so are those with `data-apart`. */
export function addressOf(form) {
  const given = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && value.trim() && !form.elements.namedItem(name)?.dataset?.apart);
  const query = new URLSearchParams(given.map(([name, value]) => [name, value.trim()])).toString();
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/** Keep the parts of the page what the form says; calls `changed` after each answer. An answer that comes late is dropped. */
export function follow(form, changed = () => {}) {
  let timer = 0;
  let stop = null;
  const look = async () => {
    clearTimeout(timer);
    stop?.abort();
    stop = new AbortController();
    const address = addressOf(form);
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store", signal: stop.signal });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [parts, others] = [document, fresh].map((page) => [...page.querySelectorAll("[data-part]")]);
      if (parts.length !== others.length) return location.assign(address);
      parts.forEach((part, i) => morph(part, document.adoptNode(others[i])));
      history.replaceState(null, "", address);
      changed();
    } catch (error) {
      if (error.name !== "AbortError" && error.name !== "TypeError") throw error; // a server that is away: the next key asks again
    }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  return look;
}
