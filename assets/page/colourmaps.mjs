/* Colour maps that people with any colour vision can read, and that are in order of lightness: matplotlib's viridis and
   magma (https://bids.github.io/colormap/), nine of their colours each. */
const VIRIDIS = [
  "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
];
const MAGMA = ["#000004", "#1c1044", "#4f127b", "#812581", "#b5367a", "#e55964", "#fb8761", "#fec287", "#fcfdbf"];

/**
 * The colours of a layer, from least to most.
 * @param {string} layer
 */
export const coloursOf = (layer) => (layer === "uncertainty" ? MAGMA : VIRIDIS);
