/* Elements of a page. */

const BLOB_LASTS_MS = 60000;

/**
 * The element with an id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind] its class, where more is asked of it than of any element
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`the page has no ${kind?.name ?? "element"} #${id}`);
  return /** @type {T} */ (found);
}

/**
 * The elements below another that match a selector.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {HTMLElement[]}
 */
export function all(selector, within = document) {
  return [...within.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes] attributes, properties, and listeners (onclick and so on)
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string") Object.assign(node, { [name]: value });
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * Put a file among a person's downloads. Browsers begin to read a blob some time after the click.
 * @param {Blob | string} content a blob, or the address of what is to be had
 * @param {string} name
 */
export function saveFile(content, name) {
  const url = content instanceof Blob ? URL.createObjectURL(content) : content;
  element("a", { href: url, download: name }).click();
  if (content instanceof Blob) setTimeout(() => URL.revokeObjectURL(url), BLOB_LASTS_MS);
}

/**
 * An icon.
 * @param {string} path of its lines, on 24 by 24
 */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const lines = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  lines.setAttribute("d", path);
  svg.append(lines);
  return svg;
}

/**
 * The element that an event is about; without one, as where a document itself is, the page's root.
 * @param {Event} event
 */
export function targetOf(event) {
  return event.target instanceof Element ? event.target : document.documentElement;
}
