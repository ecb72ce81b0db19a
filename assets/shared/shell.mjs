/* What the start page and the page of a session both have: icons, the switch of the theme, messages and questions. */

import { all, byId, icon } from "./dom.mjs";
import { hideMessage } from "./messages.mjs";
import { switchTheme } from "./theme.mjs";

/** Draw the icons, and connect what both pages have. */
export function setUpShell() {
  for (const holder of all(".icon[data-path]")) holder.replaceChildren(icon(holder.dataset.path ?? ""));
  const question = byId("question", HTMLDialogElement);
  byId("theme").addEventListener("click", switchTheme);
  byId("message").addEventListener("click", hideMessage);
  byId("question-yes").addEventListener("click", () => question.close("yes"));
  byId("question-no").addEventListener("click", () => question.close("no"));
}
