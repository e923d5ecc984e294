// What opens: its content is built when it does, so that a page holds only what was asked for.

import { h } from "./dom.js";
import { grouped } from "./time.js";

const MARGIN = 16; // px beside the failing part
const GUTTER = 56; // px that line numbers and some room take

/** Scroll code sideways as far as its failing part is out of sight. */
function reveal(details) {
  for (const code of details.querySelectorAll(".src:has(u)")) {
    const [part, box] = [code.querySelector("u").getBoundingClientRect(), code.getBoundingClientRect()];
    const over = Math.min(part.right + MARGIN - box.right, part.left - box.left - GUTTER);
    if (over > 0) code.scrollLeft += over;
  }
}

/** Give a `details` element its content when it is first opened; with `open`, now. */
export function opens(details, build, open = false) {
  const fill = () => { if (details.open && details.children.length === 1) details.append(build()); };
  details.open = open;
  fill();
  details.addEventListener("toggle", () => { fill(); reveal(details); }, { once: true }); // also comes for what began open
  return details;
}

/** A text; a long one by its beginning, the rest behind how much there is. */
export function long(text, most) {
  if (text.length <= most + 40) return text;
  const more = h("summary", {}, h("span", {}, `${text.slice(0, most)}…`), " ", h("i", {}, `${grouped(text.length)} characters`));
  return opens(h("details", { class: "long" }, more), () => h("div", {}, text));
}
