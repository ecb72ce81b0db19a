/* The controls of features and forest show the settings of the session. */

import { facts } from "./context.mjs";
import { setControl } from "./dash.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */

/** @typedef {Pick<StateWithImage, "features" | "forest">} Settings */

/** What the controls show, by their ids; at first what the page is laid out with. @type {?Map<string, string>} */
let shown = null;

/**
 * What the controls are to show, by their ids.
 * @param {Settings} settings
 * @returns {[string, any][]}
 */
function valuesOf({ features, forest }) {
  return Object.entries({
    "feature-kinds": ["intensity", "edges", "texture", "differences", "colour"].filter((kind) => features[kind]),
    "sigma-min": features.sigma_min,
    "sigma-max": features.sigma_max,
    "num-sigma": features.num_sigma,
    "feature-standardise": features.standardise ? ["standardise"] : [],
    "feature-learned": features.learned ? ["learned"] : [],
    "forest-kind": forest.kind,
    "forest-trees": forest.n_estimators,
    "forest-depth": forest.max_depth,
    "forest-share": Math.round(forest.max_samples * 1e6) / 1e4,
    "forest-balance": Math.round(forest.balance * 1e6) / 1e4,
    "forest-fine": Math.round(forest.fine_trees * 1e6) / 1e4,
    "forest-seed": forest.random_state,
  });
}

/** @type {(settings: Settings) => Map<string, string>} */
const textsOf = (settings) => new Map(valuesOf(settings).map(([id, value]) => [id, JSON.stringify(value)]));

/**
 * Show the settings that are others than those shown: somebody may be typing into the control of another one.
 * @param {Settings} settings
 */
export function showSettings(settings) {
  shown ??= textsOf(facts());
  for (const [id, value] of valuesOf(settings)) {
    const text = JSON.stringify(value);
    if (shown.get(id) === text) continue;
    shown.set(id, text);
    setControl(id, value);
  }
}

/**
 * Show all settings, whatever was typed meanwhile and could not be.
 * @param {Settings} settings
 */
export function showSettingsAnew(settings) {
  shown = new Map();
  showSettings(settings);
}
