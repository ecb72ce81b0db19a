/* The controls of features and forest show the settings of the session. */

import { setControl } from "./dash.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */

/** What the controls were last set to, by their ids. @type {Map<string, string>} */
const shown = new Map();

/**
 * Show the settings that are others than those shown: somebody may be typing into the control of another one.
 * @param {Pick<StateWithImage, "features" | "forest">} settings
 */
export function showSettings({ features, forest }) {
  const values = {
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
  };
  for (const [id, value] of Object.entries(values)) {
    const text = JSON.stringify(value);
    if (shown.get(id) === text) continue;
    shown.set(id, text);
    setControl(id, value);
  }
}

/**
 * Show all settings, whatever was typed meanwhile and could not be.
 * @param {Pick<StateWithImage, "features" | "forest">} settings
 */
export function showSettingsAnew(settings) {
  shown.clear();
  showSettings(settings);
}
