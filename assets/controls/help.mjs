/* The help, which opens above the page. */

import { byId } from "../shared/dom.mjs";

/** Open the help, or close it. */
export function toggleHelp() {
  const help = byId("help", HTMLDialogElement);
  if (help.open) help.close();
  else help.showModal();
}

export function setUpHelp() {
  const help = byId("help", HTMLDialogElement);
  byId("open-help").addEventListener("click", toggleHelp);
  byId("close-help").addEventListener("click", () => help.close());
  help.addEventListener("click", (event) => { if (event.target === help) help.close(); });
}
