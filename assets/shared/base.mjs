/* Where the application lies on its server. */

const page = document.body.dataset.base;
const dash = document.getElementById("_dash-config")?.textContent;

/** Path below which the application lies, with a slash at its end; Dash says it in its own way. */
export const base = page ?? /** @type {string} */ (JSON.parse(dash ?? "{}").requests_pathname_prefix ?? "/");
