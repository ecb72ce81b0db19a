/* What features, and measures of channels, are called on the page. */

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

/**
 * The title of a measure of a channel: with its name, or its number where the file does not name it.
 * @param {string} measure such as "Mean"
 * @param {number} channel which one, from 0
 * @param {string[]} channels names of all channels of the image; none where they are not known
 */
export function ofChannel(measure, channel, channels) {
  const name = channels[channel];
  return name && name !== `channel ${channel + 1}` ? `${measure}, ${name}` : `${measure} ${channel + 1}`;
}
