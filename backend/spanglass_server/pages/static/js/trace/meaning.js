// What a span means: its statement, its message, its call of a language model; as templates/trace/meaning.html.

import { h, icon } from "../dom.js";
import { grouped, money } from "../time.js";

const section = (title, note, ...content) => h("section", { class: "sec" }, h("header", {}, h("h2", {}, title), note && h("span", { class: "note" }, note)), content);
const dots = (...parts) => parts.filter(Boolean).join(" · ");
const figure = (name, value, unit) => h("div", { class: "fig" }, h("dt", {}, name), h("dd", {}, value, unit && h("small", {}, unit)));
const tokens = (count) => (count === null ? "–" : grouped(count));

function statement({ system, database, text, rows }) {
  const found = section("Statement", dots(system, database, rows !== null && `${grouped(rows)} ${rows === 1 ? "row" : "rows"}`), h("pre", { class: "src says", tabindex: "0" }, h("code", {}, text)));
  found.firstElementChild.append(h("button", { class: "btn bare sq", type: "button", "data-copy": text, "aria-label": "Copy statement" }, icon("copy")));
  return found;
}

const message = ({ system, operation, destination, facts }) => section("Message", system,
  h("p", { class: "strong" }, operation || "message", destination && [" ", h("span", { class: "target" }, destination)]),
  facts.length > 0 && h("dl", { class: "kv" }, facts.map(({ name, value }) => [h("dt", {}, name), h("dd", {}, value)])));

function model(call) {
  const { provider, operation, tool, request_model: asked, response_model: answered, cost } = call;
  const counted = call.input_tokens !== null || call.output_tokens !== null;
  const notes = [call.cached_tokens && `${grouped(call.cached_tokens)} tokens of the input were cached`, call.finish && `ended by ${call.finish}`].filter(Boolean);
  return section("Model", dots(provider, operation, tool),
    h("p", { class: "strong" }, answered || asked || tool || operation, answered && asked && answered !== asked && [" ", h("span", { class: "dim" }, `asked for ${asked}`)]),
    counted && h("dl", { class: "figs" }, figure("Tokens in", tokens(call.input_tokens)), figure("Tokens out", tokens(call.output_tokens)), cost && figure("Cost", money(cost.amount), cost.currency)),
    notes.length > 0 && h("p", { class: "note" }, notes.join(", ")),
    call.messages.length > 0 && h("ol", { class: "chat" }, call.messages.map(({ role, text }) => h("li", { class: role === "assistant" && "own" }, h("b", {}, role), h("div", { class: "says" }, text)))));
}

/** The parts of a span's meaning as sections. */
export const meaningOf = ({ meaning }) => [meaning?.statement && statement(meaning.statement), meaning?.messaging && message(meaning.messaging), meaning?.genai && model(meaning.genai)];
