/* How channels are shown: which, in what colours, between what values; and the picture that they make up together. */

/**
 * @typedef {object} ChannelFacts what the server says of a channel; a level stands for `offset + level * scale`
 * @property {string} name
 * @property {number} offset
 * @property {number} scale
 * @property {number} bits of a level, 8 or 16
 * @property {number} smallest value
 * @property {number} largest value
 * @property {number} low shown black, unless somebody chooses
 * @property {number} high shown white, unless somebody chooses
 * @property {number[]} histogram
 */

/**
 * @typedef {object} ChannelLook how a channel is shown
 * @property {boolean} on
 * @property {string} colour as #rrggbb
 * @property {number} low
 * @property {number} high
 * @property {number} gamma below 1 makes dark values brighter
 */

/** @typedef {ChannelLook[]} Look how an image is shown, channel by channel */

/** @typedef {Uint8Array | Uint16Array} Levels of a channel, row by row */

/** So many channels can be on at once. */
export const MOST_CHANNELS = 8;

const WHITE = "#ffffff";
const RGB = ["#ff0000", "#00ff00", "#0000ff"];
const GREEN_MAGENTA = ["#00ff00", "#ff00ff"];
const MORE = [...RGB, "#00ffff", "#ff00ff", "#ffff00", "#ff8000", WHITE];

/** By its name, the colours in which a preset shows the first channels. @type {Record<string, string[]>} */
const PRESETS = { grey: [WHITE], rgb: RGB, magenta: ["#ff00ff", "#00ff00"] };

/**
 * The look that the server gives an image.
 * @param {ChannelFacts[]} channels
 * @returns {Look}
 */
export function usualLook(channels) {
  const colours = channels.length === 1 ? [WHITE] : channels.length === 2 ? GREEN_MAGENTA : MORE;
  return channels.map(({ low, high }, index) => (
    { on: index < 3, colour: colours[index % colours.length], low, high, gamma: 1 }
  ));
}

/**
 * Whether a preset says anything of an image: a single channel has one colour, which is chosen beside its name.
 * @param {string} name
 * @param {number} channels
 */
export function applies(name, channels) {
  return !(name in PRESETS) || channels >= Math.max(PRESETS[name].length, 2);
}

/**
 * The look in the colours of a preset: as many channels are on as it has colours.
 * @param {Look} look
 * @param {string} name
 * @param {number} chosen index of the channel that a single colour is for
 * @returns {Look}
 */
export function withPreset(look, name, chosen) {
  const colours = PRESETS[name];
  const first = colours.length === 1 ? chosen : 0;
  return look.map((one, index) => {
    const colour = colours[index - first];
    return colour ? { ...one, on: true, colour } : { ...one, on: false };
  });
}

/**
 * How bright each level of a channel is shown, from 0 to 255.
 * @param {ChannelFacts} facts
 * @param {ChannelLook} look
 */
export function brightnesses({ bits, offset, scale }, { low, high, gamma }) {
  const shown = new Float32Array(2 ** bits);
  const span = Math.max(high - low, 1e-30);
  const { first, last } = betweenEnds(shown.length, { offset, scale }, { low, high });
  for (let level = first; level < last; level += 1) {
    const part = Math.min(Math.max((offset + level * scale - low) / span, 0), 1);
    shown[level] = 255 * (gamma === 1 ? part : part ** gamma);
  }
  return shown.fill(255, last);
}

/**
 * The levels between those that are black and those that are as bright as can be, the last exclusive: with one of the
 * former and one of the latter, however they are rounded.
 * @param {number} levels how many there are
 * @param {Pick<ChannelFacts, "offset" | "scale">} facts
 * @param {Pick<ChannelLook, "low" | "high">} look
 */
function betweenEnds(levels, { offset, scale }, { low, high }) {
  const [first, last] = [(low - offset) / scale - 1, (high - offset) / scale + 2].map((level) => (
    Math.min(Math.max(Math.floor(level), 0), levels)
  ));
  return { first, last: Math.max(first, last) };
}

/** @param {string} colour as #rrggbb */
const partsOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);

/**
 * Red, green and blue of each level of a channel in one number, with ten bits each: the sums of four channels fit.
 * @param {ChannelFacts} facts
 * @param {ChannelLook} look
 */
function packedColours(facts, look) {
  const [red, green, blue] = partsOf(look.colour);
  const lights = brightnesses(facts, look);
  const packed = new Uint32Array(lights.length);
  const { first, last } = betweenEnds(lights.length, facts, look);
  /** @param {number} light */
  const packedOf = (light) => (
    Math.round(light * red) + (Math.round(light * green) << 10) + (Math.round(light * blue) << 20)
  );
  for (let level = first; level < last; level += 1) packed[level] = packedOf(lights[level]);
  return packed.fill(packedOf(255), last);
}

/**
 * The sums of the colours of at most four channels at each pixel.
 * @param {ShownChannel[]} channels
 * @param {number} pixels
 */
function packedSums(channels, pixels) {
  const sums = new Uint32Array(pixels);
  for (const { levels, facts, look } of channels) {
    const colours = packedColours(facts, look);
    for (let pixel = 0; pixel < pixels; pixel += 1) sums[pixel] += colours[levels[pixel]];
  }
  return sums;
}

/** @typedef {{levels: Levels, facts: ChannelFacts, look: ChannelLook}} ShownChannel */

const TEN_BITS = 1023;

/**
 * The picture that channels make up: their colours are added.
 * @param {ShownChannel[]} channels those that are on
 * @param {number} pixels how many
 * @param {?Uint8Array} noData 1 where a pixel holds no data: nothing is seen there
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green, blue and opacity of each pixel
 */
export function compose(channels, pixels, noData) {
  const shown = new Uint8ClampedArray(4 * pixels);
  const first = packedSums(channels.slice(0, 4), pixels);
  const rest = channels.length > 4 ? packedSums(channels.slice(4), pixels) : null;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 4) {
    const sum = first[pixel];
    const more = rest ? rest[pixel] : 0;
    shown[at] = (sum & TEN_BITS) + (more & TEN_BITS);
    shown[at + 1] = ((sum >>> 10) & TEN_BITS) + ((more >>> 10) & TEN_BITS);
    shown[at + 2] = (sum >>> 20) + (more >>> 20);
    shown[at + 3] = noData?.[pixel] ? 0 : 255;
  }
  return shown;
}
