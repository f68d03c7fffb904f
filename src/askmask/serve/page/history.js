/** Questions that were asked about a picture, to be seen again without asking. */

import { count, make } from "./dom.js";

/**
 * @typedef {object} Entry
 * @property {{text: string, mask_type: ?string}} question mask_type: chosen by hand, or null
 * @property {object[]} references objects that were [1], [2], …
 * @property {object} answer a prediction record
 * @property {object[]} shapes of its masks
 * @property {?number} milliseconds from the question until the answer was seen
 */

function asksTheSame(one, other) {
  return one.question.text === other.question.text
    && one.question.mask_type === other.question.mask_type
    && one.references.length === other.references.length
    && one.references.every((object, place) => object === other.references[place]);
}

/** The entries of one picture, and which of them is shown. */
export class History {
  entries = [];
  shown = null;

  /** Show a new entry, in the place of `instead` and of one that asked the same. */
  add(entry, instead = null) {
    const others = this.entries.filter((other) => other !== instead && !asksTheSame(other, entry));
    this.entries = [...others, entry];
    this.shown = entry;
  }

  /** List items, the newest first; `show(entry)` is called with the one that is chosen. */
  items(show) {
    return this.entries.toReversed().map((entry) => {
      const { masks, mask_type: type } = entry.answer;
      return make("li", {},
        make("button",
          {
            type: "button", class: "asked",
            "aria-current": entry === this.shown ? "true" : null,
            onclick: () => show(entry),
          },
          make("span", {}, entry.question.text),
          make("span", { class: "small" }, masks.length ? `${type}, ${count(masks.length, "mask")}` : "nothing fits")));
    });
  }
}
