// The tree of routes: "what if" answers while it is typed.

import { follow } from "./preview.js";

const form = document.getElementById("what-if");
const { labels, alert } = form.elements;

labels.addEventListener("input", () => { if (alert && labels.value) alert.value = ""; });
alert?.addEventListener("input", () => { if (alert.value) labels.value = ""; });
follow(form);
document.documentElement.dataset.routes = "";
