/* Which tool the pointer is. */

import { REGION } from "../page/classids.mjs";

/** @import { Session } from "../session/session.mjs" */

/**
 * Choose a tool; a filled shape that is selected is made where the image is worked on.
 * @param {Session} session
 * @param {string} tool
 */
export function chooseTool(session, tool) {
  const { selection } = session.drawing;
  if (tool === "region" && selection.stroke?.kind !== "path" && selection.classify(REGION)) return;
  session.chooseView({ tool });
}
