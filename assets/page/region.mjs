/* Says that only a part of the image is worked on. */

import { byId } from "../shared/dom.mjs";
import { counted } from "../shared/text.mjs";
import { isRegion } from "./classids.mjs";

/** @import { Stroke } from "../journal/state.mjs" */

/** @param {Stroke[]} strokes on the image that is shown */
export function showRegion(strokes) {
  const count = strokes.filter(isRegion).length;
  byId("region").hidden = !count;
  byId("region-text").textContent = `Only within ${counted(count, "outline")}`;
}
