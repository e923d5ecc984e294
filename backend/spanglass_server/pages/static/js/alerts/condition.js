// The field of a condition: colours under the text, completion, and what is wrong at its column.

import { h } from "../dom.js";
import { complete } from "../promql/box.js";
import { context, options } from "./complete.js";

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|>=|<=|==|!=|=~|!~|[<>+\-*/(){},=]|\d[\d.]*(?:e[+-]?\d+)?\s?(?:%|[a-zA-Zµ]+(?![\w(]))?|[A-Za-z_][\w.:]*|./gu;
const WORDS = new Set("and or not by over offset baseline spread forecast absent promql spans logs new_issue regression escalation".split(" "));

const css = (text) => (!text.trim() ? "" : text[0] === '"' ? "t-s" : /^\d/.test(text) ? "t-n" : WORDS.has(text.toLowerCase()) ? "t-w" : /^[A-Za-z_]/.test(text) ? "t-k" : "t-o");

/** Pieces of a condition with their class; the piece at `column` (from 1) is the one at fault. */
export function pieces(text, column = 0) {
  let at = 0;
  return [...text.matchAll(TOKEN)].map(([part]) => {
    const isBad = column > at && column <= at + part.length && part.trim() !== "";
    at += part.length;
    return [isBad ? `${css(part)} t-bad` : css(part), part];
  });
}

export class ConditionField {
  constructor(input, says) {
    Object.assign(this, { input, says, hint: [...says.childNodes], copy: input.nextElementSibling });
    complete(input, options, context);
    input.addEventListener("input", () => this.problem(null));
    input.addEventListener("scroll", () => this.follow());
    this.paint();
  }

  paint(column = 0) {
    this.copy.replaceChildren(...pieces(this.input.value, column).map(([name, text]) => (name ? h("span", { class: name }, text) : text)));
    this.follow();
  }

  follow() {
    this.copy.scrollLeft = this.input.scrollLeft;
  }

  /** Show what is wrong ({ message, column, hint }), or that nothing is known to be. */
  problem(found) {
    this.paint(found?.column ?? 0);
    this.says.className = found ? "err" : "note";
    if (!found) { this.says.replaceChildren(...this.hint); this.input.removeAttribute("aria-invalid"); return; }
    const place = found.column && !/column \d/.test(found.message) ? `Column ${found.column}: ` : "";
    this.says.replaceChildren(`${place}${found.message}${/[.!?]$/.test(found.message) ? "" : "."}${found.hint ? ` ${found.hint.charAt(0).toUpperCase()}${found.hint.slice(1)}${/[.!?]$/.test(found.hint) ? "" : "."}` : ""}`);
    this.input.setAttribute("aria-invalid", "true");
  }
}
