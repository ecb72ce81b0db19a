/* The controls of features and forest show the settings of the session. */

import { setControl } from "./dash.mjs";

/** @import { StateWithImage } from "../journal/state.mjs" */

/** @type {?string} */
let shown = null;

/**
 * Show the settings, where they are others than those shown.
 * @param {StateWithImage} state
 */
export function showSettings({ features, forest }) {
  const settings = JSON.stringify([features, forest]);
  if (settings === shown) return;
  shown = settings;
  setControl("feature-kinds", ["intensity", "edges", "texture"].filter((kind) => features[kind]));
  setControl("sigma-min", features.sigma_min);
  setControl("sigma-max", features.sigma_max);
  setControl("num-sigma", features.num_sigma);
  setControl("forest-kind", forest.kind);
  setControl("forest-trees", forest.n_estimators);
  setControl("forest-depth", forest.max_depth);
  setControl("forest-share", Math.round(forest.max_samples * 1e6) / 1e4);
  setControl("forest-seed", forest.random_state);
}
