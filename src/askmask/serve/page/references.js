/** Objects that the sentence calls [1], [2], …, and what becomes of the sentence with them. */

import { make } from "./dom.js";

/** Most references of one sentence. */
export const MOST = 8;

/** Put "[number]" into a text between two places, with blanks around; returns text and caret. */
export function insert(text, start, end, number) {
  const [before, after] = [text.slice(0, start), text.slice(end)];
  const left = before && !/\s$/.test(before) ? " " : "";
  const right = !/^[\s.,;:!?]/.test(after) ? " " : "";
  const written = `${left}[${number}]${right}`;
  return { text: before + written + after, caret: before.length + written.length };
}

/** Take "[number]" out of a text and count later ones down. */
export function without(text, number) {
  return text
    .replaceAll(new RegExp(`\\s?\\[${number}\\]`, "g"), "")
    .replace(/\[(\d+)\]/g, (mark, other) => (other > number ? `[${other - 1}]` : mark))
    .trimStart();
}

/** Whether a text names reference `number`. */
export const names = (text, number) => text.includes(`[${number}]`);

/** Chips of the references, each with a button that takes it away. */
export function chips(references, text, bitmap, on) {
  return references.map((object, place) => {
    const number = place + 1;
    return make("li", {
        class: names(text, number) ? "chip" : "chip unnamed",
        onmouseenter: () => on.point(object), onmouseleave: () => on.point(null),
      },
      object.thumbnail(bitmap),
      make("span", {}, `[${number}]`),
      make("button",
        { type: "button", "aria-label": `Remove reference [${number}]`, onclick: () => on.remove(number) },
        make("span", { "aria-hidden": "true" }, "×")));
  });
}
