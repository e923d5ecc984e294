// Changes of notifications, sent under the reader's name.

import { send } from "../api.js";
import { actor, refusal, say } from "../issues/actions.js";
import { renew } from "../live.js";

/** Send a change under the reader's name; null if they gave none, or it was refused, which is said. */
export async function change(method, path, body = {}) {
  const by = await actor();
  if (!by) return null;
  try {
    return method === "DELETE" ? await send(method, path, body, { by }) : await send(method, path, { ...body, by });
  } catch (error) {
    say(refusal(error), { bad: true });
    return null;
  }
}

/** The same, then the page goes on as it is now. */
export async function changeHere(method, path, body, said) {
  const answer = await change(method, path, body);
  if (!answer) return null;
  await renew().catch(() => location.reload());
  say(said);
  return answer;
}

/** Take the submission of a form over from the browser. */
export function onSubmit(form, run) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    run(event.submitter);
  });
}
