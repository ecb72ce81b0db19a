/* The clean-up of a session: what its controls try out, and what they choose. */

import { CleanUp } from "../page/cleanup.mjs";

/** @import { Session } from "./session.mjs" */

/** @param {Session} session */
export function cleanUpOf(session) {
  return new CleanUp(
    (steps) => session.segmentation.tryOut(steps),
    (steps) => session.append({ type: "clean_up.change", steps }),
  );
}
