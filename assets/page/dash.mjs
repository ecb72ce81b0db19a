/* Dash: its controls are set from here, and what they say is handed over to the page's own functions. */

/** How long an answer takes that comes. */
const ANSWERED_MS = 4000;

/** @typedef {{output: string, inputs: {id: string, value: any}[]}} Callback as it is asked of the server */

/** A control of each callback that waits for its answer, by what it gives. @type {Map<string, Asked>} */
const unanswered = new Map();

/** @typedef {{id: string, value: any, at: number}} Asked a control, what it says, and when that was asked about */

/**
 * Let Dash lay out the page, now that there is what its callbacks call: a module may be there later than the scripts
 * of Dash, and what a control says before that would be lost.
 * @param {Record<string, (value: any) => void>} functions by the names that `callbacks.py` gives them
 */
export function renderPage(functions) {
  const dash = window.dash_clientside;
  dash.squiggle = Object.fromEntries(Object.entries(functions).map(([name, run]) => [
    name,
    (/** @type {any} */ value) => {
      run(value);
      return dash.no_update;
    },
  ]));
  new window.DashRenderer({
    request_pre: (/** @type {Callback} */ { output, inputs: [{ id, value }] }) => {
      unanswered.set(output, { id, value, at: performance.now() });
    },
    request_post: (/** @type {Callback} */ { output }) => unanswered.delete(output),
  });
}

/**
 * What was asked of the server and not answered in a while is asked again, once it answers: Dash asks once.
 * @param {{ok: boolean}} connection whether the server answers
 */
export function askDashAgain({ ok }) {
  if (!ok) return;
  const longAgo = performance.now() - ANSWERED_MS;
  for (const { id, value, at } of unanswered.values()) if (at < longAgo) setControl(id, value);
}

/**
 * Set what a control shows.
 * @param {string} id
 * @param {any} value
 * @param {Record<string, any>} [more] of its properties
 */
export function setControl(id, value, more = {}) {
  window.dash_clientside.set_props(id, { value, ...more });
}
