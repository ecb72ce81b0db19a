/* Dash: its controls are set from here, and what they say is handed over to the page's own functions. */

/** How long an answer takes that comes. */
const ANSWERED_MS = 4000;

/** How often something is asked again: what the server always fails at is not there for want of asking. */
const MOST_TIMES = 5;

/** @typedef {{id: string, property: string, value: any}} Input a control, and what it says */
/** @typedef {{output: string, inputs: Input[], changedPropIds: string[]}} Callback as it is asked of the server */
/** @typedef {{id: string, value: any, at: number, times: number}} Asked a control that changed, when and how often */

/** Of callbacks that wait for their answer, by what they give. @type {Map<string, Asked>} */
const unanswered = new Map();

/** @param {Callback} callback that the server is asked for now */
function remember({ output, inputs, changedPropIds }) {
  const { id, value } = inputs.find((one) => changedPropIds.includes(`${one.id}.${one.property}`)) ?? inputs[0];
  const former = unanswered.get(output);
  const isTheSame = former?.id === id && JSON.stringify(former.value) === JSON.stringify(value);
  unanswered.set(output, { id, value, at: performance.now(), times: isTheSame ? former.times + 1 : 1 });
}

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
    request_pre: remember,
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
  for (const { id, value, at, times } of unanswered.values()) {
    if (at < longAgo && times < MOST_TIMES) setControl(id, value);
  }
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
