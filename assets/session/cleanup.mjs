/* The clean-up of a session: what its controls try out, and what they choose. */

import { CleanUp } from "../page/cleanup.mjs";
import { splits } from "./learning.mjs";

/** @import { CleanUpStep } from "../journal/state.mjs" */
/** @import { Session } from "./session.mjs" */

/**
 * Those of steps that change the classes of pixels, as text: splitting changes objects only.
 * @param {CleanUpStep[]} steps
 */
const changing = (steps) => JSON.stringify(steps.filter((step) => !splits(step)));

/** @param {Session} session */
export function cleanUpOf(session) {
  return new CleanUp(
    (steps) => {
      const now = session.segmentation.tried ?? session.state.cleanUp;
      if (changing(steps) !== changing(now)) session.segmentation.tryOut(steps);
      session.onTried(steps);
    },
    (steps) => session.append({ type: "clean_up.change", steps }),
  );
}
