/* Names for what a person makes. */

/** A new id that nothing else has: 96 random bits in 16 letters, digits, hyphens and underscores. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
