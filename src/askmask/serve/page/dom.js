/** Elements, and how figures are written. Text only ever enters as text, never as markup. */

/** Find an element by its id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element.
 * @param {string} tag
 * @param {object} attributes `onclick` and the like are listeners; false and null leave one out.
 * @param {...(Node|string|null|false)} children strings become text; null and false nothing.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, ...children);
  return element;
}

/** Put children in the place of those that are there; null and false are nothing. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== false));
}

/** A probability as "96%". */
export const percent = (share) => `${Math.round(100 * share)}%`;

/** A score as "0.98". */
export const figure = (score) => score.toFixed(2);

/** "1 mask", "2 masks". */
export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Words as a sentence, with a capital and a full stop. */
export function sentence(words) {
  return words.slice(0, 1).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");
}

/** A line whose length shows a share in [0, 1]; figures stand beside it, so it is not read out. */
export function bar(share) {
  const line = make("span", { class: "bar-line", "aria-hidden": "true" });
  line.style.setProperty("--share", share);
  return line;
}
