/* Tables as the server packs them: facts as JSON, then numbers, which lie where they can be read without a copy. */

/**
 * @param {Response} response
 * @returns {Promise<{facts: any, columns: Map<string, Float64Array>, rest: Uint32Array}>} the facts, of which `columns`
 *   names the columns and `objects` says how long they are, the columns, and what follows them
 */
export async function unpackedColumns(response) {
  const stream = /** @type {ReadableStream} */ (response.body).pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  let at = 4 + new DataView(buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(buffer.slice(4, at)));
  const columns = new Map();
  for (const name of facts.columns) {
    columns.set(name, new Float64Array(buffer, at, facts.objects));
    at += 8 * facts.objects;
  }
  return { facts, columns, rest: new Uint32Array(buffer, at) };
}
