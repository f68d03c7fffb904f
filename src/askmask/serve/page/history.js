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

/** The entries of one picture, and which of them is shown. */
export class History {
  entries = [];
  shown = null;

  /** Show a new entry; it takes the place of `instead`, if that is one. */
  add(entry, instead = null) {
    const place = this.entries.indexOf(instead);
    if (place < 0) this.entries.push(entry);
    else this.entries[place] = entry;
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
