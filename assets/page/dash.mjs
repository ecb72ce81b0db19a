/* Dash: its controls are set from here, and what they say is handed over to the page's own functions. */

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
  new window.DashRenderer();
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
