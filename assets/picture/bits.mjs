/* Class ids as they come from the server: of each of their binary digits a bit a pixel. */

/* For each byte its eight bits, the highest first, as eight bytes of 0 or 1 in two words. */
const SPREAD = new Uint32Array(512);
const SPREAD_BYTES = new Uint8Array(SPREAD.buffer);
for (let byte = 0; byte < 256; byte += 1) {
  for (let at = 0; at < 8; at += 1) SPREAD_BYTES[8 * byte + at] = (byte >> (7 - at)) & 1;
}

/**
 * The class ids of a tile.
 * @param {Uint8Array} bits digit by digit, the lowest first, and row by row, each of whole bytes
 * @param {{lowest: number, digits: number, height: number, width: number}} shape lowest: what zeros mean
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unpackIds(bits, { lowest, digits, height, width }) {
  const across = Math.ceil(width / 8);
  if (bits.length !== digits * height * across) throw new Error("the tile is not whole");
  /* Eight pixels at a time, in two words whose bytes do not carry into each other: no id has more than eight bits. */
  const words = new Uint32Array(2 * height * across).fill(lowest * 0x01010101);
  for (let digit = 0, at = 0; digit < digits; digit += 1) {
    for (let place = 0; place < words.length; place += 2, at += 1) {
      words[place] += SPREAD[2 * bits[at]] << digit;
      words[place + 1] += SPREAD[2 * bits[at] + 1] << digit;
    }
  }
  const padded = new Uint8Array(words.buffer);
  if (width === 8 * across) return padded;
  const ids = new Uint8Array(height * width);
  for (let row = 0; row < height; row += 1) {
    ids.set(padded.subarray(8 * across * row, 8 * across * row + width), width * row);
  }
  return ids;
}
