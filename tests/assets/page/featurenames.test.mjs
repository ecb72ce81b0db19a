/* What features are called: channels by their names. */

import { test } from "node:test";
import assert from "node:assert/strict";

import { ofChannel, withChannelNames } from "../../../assets/page/featurenames.mjs";

test("channels are called by their names, where these are known", () => {
  const channels = ["DAPI", "CD3, $1", "Ki67"];
  assert.equal(withChannelNames("channel 1, edges, sigma 2", channels), "DAPI, edges, sigma 2");
  assert.equal(withChannelNames("channels 3 and 2, ratio, sigma 4", channels), "Ki67 and CD3, $1, ratio, sigma 4");
  assert.equal(withChannelNames("channel 1, edges, sigma 2", []), "channel 1, edges, sigma 2");
  assert.equal(withChannelNames("channels 1 and 4, ratio, sigma 4", channels), "channels 1 and 4, ratio, sigma 4");
  assert.equal(withChannelNames("hue, sigma 2", channels), "hue, sigma 2");
});

test("measures of channels have their names, or numbers where there are none", () => {
  assert.equal(ofChannel("Mean", 1, ["DAPI", "GFP"]), "Mean, GFP");
  assert.equal(ofChannel("Mean", 1, ["DAPI", "channel 2"]), "Mean 2");
  assert.equal(ofChannel("Std. dev.", 0, []), "Std. dev. 1");
});
