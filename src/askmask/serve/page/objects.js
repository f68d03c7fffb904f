/** The objects that were found in a picture: where they are, and a button for each. */

import { bar, figure, make } from "./dom.js";
import { Mask } from "./rle.js";
import { shape } from "./shapes.js";

const THUMBNAIL = 96; // pixels a side

/** All objects of one picture. */
export class Objects {
  #labels; // place in `all` of the object at each pixel, from 1; 0: none

  /** @param {object[]} records of /candidates, the surest first */
  constructor(records, width, height) {
    this.width = width;
    this.all = records.map((record) => new PictureObject(record)).filter(({ box }) => box);
    this.#labels = new Uint16Array(records.length ? width * height : 0);
    // As the server finds the object at a point: the surest wins, and of equals the smaller.
    const last = [...this.all].sort((a, b) => a.score - b.score || b.mask.area - a.mask.area);
    for (const object of last) {
      const label = this.all.indexOf(object) + 1;
      object.mask.each((x, y) => (this.#labels[y * width + x] = label));
    }
  }

  /** The object at a pixel, or null. */
  at(x, y) {
    return this.all[(this.#labels[y * this.width + x] ?? 0) - 1] ?? null;
  }
}

class PictureObject {
  #shape;
  #reference;

  constructor({ id, score, modal, amodal }) {
    Object.assign(this, { id, score, modal, amodal });
    this.name = `Object ${id + 1}`;
    this.mask = new Mask(modal);
    this.box = this.mask.box; // null when nothing of it is visible
  }

  /** Its visible and its whole outline. */
  get shape() {
    this.#shape ??= shape(this.amodal, this.modal) ?? this.reference;
    return this.#shape;
  }

  /** Its outline as a reference: what is visible. */
  get reference() {
    this.#reference ??= shape(this.modal);
    return this.#reference;
  }

  /** A picture of it, for the eye only. */
  thumbnail(bitmap) {
    const { box } = this;
    const side = Math.min(1.15 * Math.max(box.width, box.height), bitmap.width, bitmap.height);
    const inside = (from, size, most) => Math.min(Math.max(from + size / 2 - side / 2, 0), most - side);
    const x = inside(box.x, box.width, bitmap.width);
    const y = inside(box.y, box.height, bitmap.height);
    const canvas = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, "aria-hidden": "true" });
    canvas.getContext("2d").drawImage(bitmap, x, y, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
    return canvas;
  }
}

/** What an answer makes of an object: its score for the sentence, and its number in the answer. */
export function verdict(object, answer) {
  const fits = answer?.candidate_scores?.[object.id] ?? null;
  const place = answer?.masks.findIndex((mask) => mask.modal?.counts === object.modal.counts) ?? -1;
  return { fits, number: place < 0 ? null : place + 1 };
}

/**
 * Buttons for `objects`; `on.use` is called to make one a reference, `on.point` with one that the
 * pointer or the focus is on, or null.
 */
export function objectButtons(objects, bitmap, answer, on) {
  return objects.all.map((object) => {
    const { fits, number } = verdict(object, answer);
    const words = [
      fits === null ? "" : `, fits ${figure(fits)}`,
      `, found with ${figure(object.score)}`,
      number ? `, mask ${number} of the answer` : "",
    ];
    const label = `${object.name}${words.join("")}. Make it a reference`;
    const point = () => on.point(object);
    const leave = () => on.point(null);
    return make("li", {},
      make("button",
        {
          type: "button",
          class: "object" + (number ? " chosen" : ""),
          "data-object": object.id,
          "aria-label": label,
          onclick: () => on.use(object),
          onmouseenter: point, onfocus: point, onmouseleave: leave, onblur: leave,
        },
        (object.picture ??= object.thumbnail(bitmap)), // the same one for all answers
        number && make("span", { class: `badge colour-${(number - 1) % 7}` }, `${number}`),
        fits !== null && bar(fits),
        make("span", { class: "figure" }, fits === null ? object.name : figure(fits))));
  });
}
