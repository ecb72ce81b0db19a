/* Which features matter, as a picture: kinds by sigmas, and channels; what can be left out is a button. */

import { withChannelNames } from "./featurenames.mjs";
import { byId, element } from "../shared/dom.mjs";

/**
 * @typedef {object} Importance
 * @property {{kind: string, shares: number[]}[]} kinds of each kind the share of each sigma
 * @property {?number} learned the share of learned texture, null if there is none
 * @property {string[]} sigmas
 * @property {number[]} channels the share of each
 * @property {string[]} features their names, those that matter most first
 * @property {boolean} fixed whether they cannot be others
 */

/** @typedef {{mean_iou: number, without: number, change: number, standard_error: ?number, time: number}} Cost */

/** @type {Record<string, string>} */
const KINDS = {
  intensity: "Intensity", edges: "Edges", texture: "Texture", differences: "Differences", colour: "Colour",
};

/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** @param {number} share */
const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * What it would cost, and save, as a sentence.
 * @param {string} what is left out
 * @param {Cost} cost
 */
export function costSentence(what, { mean_iou: now, without, change, standard_error: error, time }) {
  const uncertain = error === null ? "" : ` ± ${error.toFixed(2)}`;
  const score = `mean IoU of held-out strokes ${without.toFixed(2)} instead of ${now.toFixed(2)}`;
  const sign = change < 0 ? "−" : "+";
  const saved = time < 0.98 ? `features take ${percent(1 - time)} less time` : "features take as long";
  return `Without ${what}: ${score} (${sign}${Math.abs(change).toFixed(2)}${uncertain}); ${saved}.`;
}

/**
 * @param {number} share
 * @param {number} most the largest share of such cells
 */
function cell(share, most) {
  const node = element("td", { title: percent(share) }, share >= 0.005 ? String(Math.round(100 * share)) : "");
  node.style.setProperty("--share", String(most ? share / most : 0));
  return node;
}

/**
 * Show which features matter.
 * @param {Importance} importance
 * @param {string[]} channelNames
 * @param {(part: string, what: string) => void} ask what it costs to leave a part out
 */
export function showImportance({ kinds, learned, sigmas, channels, fixed }, channelNames, ask) {
  /**
   * @param {string} text
   * @param {string} part that may be left out
   * @param {string} what it is called
   * @param {boolean} possible
   */
  const label = (text, part, what, possible) => (possible && !fixed ? element("button", {
    type: "button", title: `What would it cost to leave ${what} out?`, onclick: () => ask(part, what),
  }, text) : text);
  const shares = kinds.map((one) => one.shares);
  const most = Math.max(...shares.flat());
  const totals = shares.map(sum);
  const columns = sigmas.map((_, n) => sum(shares.map((row) => row[n])));
  const widest = Math.max(...totals, ...columns, learned ?? 0);
  const outer = (/** @type {number} */ n) => sigmas.length > 1 && (n === 0 || n === sigmas.length - 1);
  const head = sigmas.map((sigma, n) => (
    element("th", { scope: "col" }, label(sigma, `sigma:${sigma}`, `sigma ${sigma}`, outer(n)))
  ));
  const body = kinds.map(({ kind, shares: row }, n) => element(
    "tr", {},
    element("th", { scope: "row" }, label(KINDS[kind], `kind:${kind}`, KINDS[kind].toLowerCase(), kinds.length > 1)),
    ...row.map((share) => cell(share, most)), cell(totals[n], widest),
  ));
  if (learned !== null) {
    const name = label("Learned texture", "kind:learned", "learned texture", true);
    const none = element("td", { colspan: String(sigmas.length) });
    body.push(element("tr", {}, element("th", { scope: "row" }, name), none, cell(learned, widest)));
  }
  const foot = element(
    "tr", { class: "totals" }, element("th", { scope: "row" }, "All"), ...columns.map((share) => cell(share, widest)),
    element("td"),
  );
  const table = element(
    "table", {}, element("caption", {}, "Percent of what trees gain, by kind and sigma"),
    element("thead", {}, element("tr", {}, element("th"), ...head, element("th", { scope: "col" }, "All"))),
    element("tbody", {}, ...body, foot),
  );
  const bars = channels.length < 2 ? [] : channels.map((share, n) => {
    const name = channelNames[n] ?? `channel ${n + 1}`;
    const used = channels.filter((one) => one > 0).length > 1;
    const named = element("span", {}, label(name, `channel:${n + 1}`, name, used && share > 0));
    const row = element("div", { class: "explained" }, named, element("b", {}, percent(share)), element("i"));
    row.style.setProperty("--share", String(share));
    row.style.setProperty("--class-colour", "var(--accent)");
    return row;
  });
  byId("importance").replaceChildren(table, ...bars);
}

/**
 * Show which features can be looked at.
 * @param {string[]} names
 * @param {string} chosen empty for none
 * @param {string[]} channels names of those of the image
 */
export function showFeatureChoice(names, chosen, channels) {
  const select = byId("feature-look", HTMLSelectElement);
  byId("feature-look-row").hidden = !names.length;
  const options = ["", ...names].map((name) => (
    element("option", { value: name }, withChannelNames(name, channels) || "the segmentation")
  ));
  select.replaceChildren(...options);
  select.value = names.includes(chosen) ? chosen : "";
}
