/* Who else is in the session: in the head of the page, and where they look, on the image. */

import { byId, element, icon } from "../shared/dom.mjs";
import { isNamedByServer, me } from "./me.mjs";

/** @import { Frame } from "../drawing/frame.mjs" */

/**
 * @typedef {object} Person somebody else who is in the session
 * @property {string} person id of the author
 * @property {string} name may be empty
 * @property {string} image hash of the image that they look at; empty if there is none yet
 * @property {[number, number, number, number]} view first row, row after the last, first column, column after the last
 */

const FIGURE = "M12 4a4 4 0 1 0 .01 0zM4.5 20c.6-4 3.600-6 7.500-6s6.900 2 7.500 6";
const SHOWN_AT_ONCE = 4;
const HUES = 360;

/**
 * The colour of a person, the same in every window.
 * @param {string} id of the author
 */
function colourOf(id) {
  let hue = 0;
  for (const character of id) hue = (31 * hue + (character.codePointAt(0) ?? 0)) % HUES;
  return `hsl(${hue} 60% 40%)`;
}

/** @param {string} name */
const initialOf = (name) => (name ? [...name][0].toUpperCase() : "?");

/** @param {Person} person */
const nameOf = ({ name }) => name || "Somebody";

/**
 * @param {Person} person
 * @param {string} looksAt
 */
function chip(person, looksAt) {
  const text = `${nameOf(person)}${looksAt}`;
  const style = `--person: ${colourOf(person.person)}`;
  return element(
    "span", { class: "person", style, title: text, "role": "img", "aria-label": text }, initialOf(person.name),
  );
}

/**
 * Show who else is here; who has not said a name is offered to, once there is somebody to hear it.
 * @param {Person[]} others
 * @param {(hash: string) => ?string} nameOfImage null where there is no such image
 */
export function showPeople(others, nameOfImage) {
  /** @param {Person} person */
  const looksAt = ({ image }) => {
    const name = nameOfImage(image);
    return name === null ? "" : ` looks at ${name}`;
  };
  const chips = others.slice(0, SHOWN_AT_ONCE).map((person) => chip(person, looksAt(person)));
  const more = others.slice(SHOWN_AT_ONCE);
  if (more.length) {
    chips.push(element("span", { class: "person more", title: more.map(nameOf).join(", ") }, `+${more.length}`));
  }
  byId("others").replaceChildren(...chips);
  showMe(others.length > 0);
}

/** @param {boolean} accompanied whether somebody else is here */
function showMe(accompanied) {
  const { id, name } = me();
  const asks = accompanied && !name && !isNamedByServer();
  const button = byId("me");
  button.classList.toggle("asks", asks);
  button.classList.toggle("named", name !== "");
  button.style.setProperty("--person", colourOf(id));
  button.title = name ? `You are ${name}. Click to change that.` : "Say your name, for those who work here with you";
  button.setAttribute("aria-label", button.title);
  if (asks) button.replaceChildren("Your name?");
  else if (name) button.replaceChildren(element("span", { class: "person" }, initialOf(name)));
  else button.replaceChildren(icon(FIGURE));
}

/**
 * Frame what others see of the current image.
 * @param {Person[]} others who look at it
 * @param {Frame} frame what is seen of it here
 */
export function showFrames(others, frame) {
  byId("frames").replaceChildren(...others.map((person) => {
    const [top, bottom, left, right] = person.view;
    const style = [
      `--person: ${colourOf(person.person)}`,
      `left: ${(left - frame.x) * frame.scale}px`, `top: ${(top - frame.y) * frame.scale}px`,
      `width: ${(right - left) * frame.scale}px`, `height: ${(bottom - top) * frame.scale}px`,
    ].join("; ");
    return element("div", { class: "their-view", style }, element("span", {}, nameOf(person)));
  }));
}
