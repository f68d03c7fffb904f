/** The canvas: drawn as large as it is shown, and a card about the object that is pointed at. */

import { bar, byId, figure, fill, make } from "./dom.js";
import { backdrop, draw } from "./drawing.js";
import { verdict } from "./objects.js";

const LEAST_UNIT = 0.85; // in CSS pixels, so that numbers can be read on a phone

/** Shows a picture with layers, and tells what the pointer does on it. */
export class Stage {
  #canvas = byId("canvas");
  #card = byId("card");
  #bitmap = null;
  #backdrop = null;
  #layers = { masks: [], references: [], pointed: null };

  /** @param {{move: function, leave: function, click: function}} on with the picture's pixels */
  constructor(on) {
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    this.#canvas.addEventListener("pointermove", (event) => on.move(...this.#pixel(event)));
    this.#canvas.addEventListener("pointerleave", () => on.leave());
    this.#canvas.addEventListener("click", (event) => on.click(...this.#pixel(event), event));
  }

  /** Show a picture without layers. */
  set picture(bitmap) {
    this.#bitmap = bitmap;
    byId("work").style.setProperty("--ratio", bitmap.width / bitmap.height);
    this.#backdrop = null;
    this.#fit();
  }

  /** Draw layers, as of drawing.js. */
  show(layers) {
    this.#layers = layers;
    this.#canvas.style.cursor = layers.pointed ? "pointer" : "";
    if (this.#backdrop) draw(this.#canvas, this.#backdrop, layers, LEAST_UNIT * devicePixelRatio);
  }

  /** Say what the picture shows, for those who cannot see it. */
  set words(words) {
    this.#canvas.ariaLabel = words;
  }

  /** Write a few words on the picture, or none. */
  remark(words) {
    byId("remark").textContent = words;
  }

  /** Show a card beside an object, or none. */
  card(object, answer, hint) {
    this.#card.hidden = !object;
    if (!object) return;
    fill(this.#card, ...cardContents(object, answer, hint));
    const scale = this.#canvas.clientWidth / this.#bitmap.width;
    const { x, y, width } = object.box;
    const room = this.#canvas.clientWidth - this.#card.offsetWidth - 8;
    const beside = (x + width) * scale + 12;
    const left = beside <= room ? beside : x * scale - this.#card.offsetWidth - 12;
    const top = Math.min(y * scale, this.#canvas.clientHeight - this.#card.offsetHeight - 8);
    this.#card.style.left = `${this.#canvas.offsetLeft + Math.max(8, Math.min(left, room))}px`;
    this.#card.style.top = `${this.#canvas.offsetTop + Math.max(8, top)}px`;
  }

  #pixel(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const scale = (length, size, most) => Math.min(Math.max(Math.floor((length / size) * most), 0), most - 1);
    return [
      scale(event.clientX - left, width, this.#bitmap.width),
      scale(event.clientY - top, height, this.#bitmap.height),
    ];
  }

  #fit() {
    if (!this.#bitmap || !this.#canvas.clientWidth) return;
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (this.#backdrop?.plain.width === width) return;
    this.#backdrop = backdrop(this.#bitmap, width);
    this.show(this.#layers);
  }
}

function cardContents(object, answer, hint) {
  const { fits, number } = verdict(object, answer);
  const line = (words, share) =>
    make("p", { class: "line" }, make("span", {}, words), make("b", {}, figure(share)), bar(share));
  const where = number ? `mask ${number} of the answer` : "not in the answer";
  return [
    make("p", { class: "title" }, make("b", {}, object.name), answer ? `, ${where}` : ""),
    fits !== null && line("fits the sentence", fits),
    line("is an object", object.score),
    answer?.rationale ? make("p", { class: "small" }, answer.rationale) : null,
    make("p", { class: "small" }, hint),
  ];
}
