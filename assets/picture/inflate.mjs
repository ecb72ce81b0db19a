/* Class ids as they travel: compressed, in text. */

/** @param {string} text */
const bytesOf = (text) => (
  /** @type {any} */ (Uint8Array).fromBase64?.(text) ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
);

/**
 * Bytes from base64 of zlib-compressed data.
 * @param {string} text
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(text) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(bytesOf(text));
  writer.close();
  return new Uint8Array(await new Response(readable).arrayBuffer());
}
