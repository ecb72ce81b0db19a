/* What a session has now, by which it is seen whether results that were made before are out of date. */

import { sessionUrl } from "../page/context.mjs";
import { isBusy, pause, retryAfter } from "../shared/requests.mjs";

/** @import { Now } from "../page/seriesrows.mjs" */
/** @import { Session } from "../session/session.mjs" */

const LONGEST_PAUSE_SECONDS = 10;

/** Asks the server until it says; only the last question's answer counts, in whatever order answers come. */
export class ClassifierNow {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.asked = 0;
  }

  /**
   * @param {?string} image hash of the one that is shown
   * @returns {Promise<?Now>} null if something newer was asked meanwhile, or the server refuses
   */
  async ask(image) {
    this.asked += 1;
    const { asked } = this;
    await this.session.conversation.settled();
    for (let attempt = 1; asked === this.asked; attempt += 1) {
      const response = await fetch(`${sessionUrl}series/classifier?image=${image}`).catch(() => null);
      if (response && !isBusy(response)) {
        const now = response.ok ? await response.json().catch(() => null) : null;
        return asked === this.asked ? now : null;
      }
      await pause(retryAfter(response, Math.min(attempt, LONGEST_PAUSE_SECONDS)));
    }
    return null;
  }
}
