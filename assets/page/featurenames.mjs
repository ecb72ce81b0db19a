/* What features are called on the page. */

/**
 * The name of a feature, with the names of channels in place of their numbers.
 * @param {string} feature as the server calls it: "channel 1, edges, sigma 2", "channels 1 and 2, ratio, sigma 4"
 * @param {string[]} channels names of all channels of the image; none where they are not known
 */
export function withChannelNames(feature, channels) {
  return feature.replace(/^channels? (\d+)(?: and (\d+))?(?=,)/, (numbers, ...groups) => {
    const names = groups.slice(0, 2).filter(Boolean).map((number) => channels[Number(number) - 1]);
    return names.every(Boolean) ? names.join(" and ") : numbers;
  });
}
