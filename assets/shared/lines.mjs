/* Answers that come line by line. */

/**
 * The values in a stream of JSON, one a line, as they come.
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {AsyncGenerator<any, void>}
 */
export async function* jsonLines(stream) {
  const decoder = /** @type {ReadableWritablePair<string, Uint8Array>} */ (new TextDecoderStream());
  const reader = stream.pipeThrough(decoder).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}
