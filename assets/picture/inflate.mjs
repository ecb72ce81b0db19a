/* Class ids as they travel: compressed, in text. */

/**
 * Bytes from base64, also where a browser has no function of its own for it.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytesOf(text) {
  const { fromBase64 } = /** @type {any} */ (Uint8Array);
  return fromBase64?.call(Uint8Array, text) ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Bytes from base64 of zlib-compressed data.
 * @param {string} text
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(text) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  /* What is wrong with the data shows where the result is read. */
  for (const written of [writer.write(bytesOf(text)), writer.close()]) written.catch(() => {});
  return new Uint8Array(await new Response(readable).arrayBuffer());
}
