/* The page of a link that only lets look: what would change something is out of reach. The server refuses it too. */

import { looking } from "../page/context.mjs";
import { all, byId } from "../shared/dom.mjs";

const OUT_OF_REACH = ["session-title", "panel-learn"];

/** Take away what cannot be done here. */
export function setUpLooking() {
  if (!looking) return;
  document.documentElement.dataset.looking = "true";
  for (const id of OUT_OF_REACH) byId(id).inert = true;
  for (const field of all("#session-name")) field.tabIndex = -1;
}
