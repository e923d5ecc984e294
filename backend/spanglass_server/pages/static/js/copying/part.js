// The button beside a part of a page that can be copied; copying.js does what it says.

import { h, icon } from "../dom.js";

/** A button that copies what it is in, known by a selector. */
export const copyPart = (selector, what) => h("button", { class: "btn bare sq copies", type: "button", "data-copy-part": selector, "data-own": "", "aria-label": `Copy ${what} as Markdown`, title: "Copy as Markdown" }, icon("copy"));
