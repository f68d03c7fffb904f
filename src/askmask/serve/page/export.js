/** Answers as files: a picture, COCO's json, the prediction record. */

import { backdrop, draw } from "./drawing.js";
import { make } from "./dom.js";
import { Mask } from "./rle.js";

/** The prediction record alone, as `askmask segment --json` prints it. */
export function record({ answer }) {
  const { candidate_scores, ...rest } = answer;
  return rest;
}

/** COCO's json with one annotation a mask; the category is the sentence, as in Python's to_coco. */
export function coco({ name, width, height }, { question, answer }) {
  const annotations = answer.masks.map((mask, place) => {
    const pixels = new Mask(mask.segmentation);
    const { x, y, width: w, height: h } = pixels.box ?? { x: 0, y: 0, width: 0, height: 0 };
    return {
      id: place + 1,
      image_id: 1,
      category_id: 1,
      segmentation: mask.segmentation,
      area: pixels.area,
      bbox: [x, y, w, h],
      iscrowd: 0,
      mask_type: answer.mask_type,
      score: mask.score,
      ...(answer.mask_type === "amodal" && mask.modal ? { visible_mask: mask.modal } : {}),
    };
  });
  return {
    info: {},
    licenses: [],
    images: [{ id: 1, file_name: name, height, width }],
    annotations,
    categories: annotations.length ? [{ id: 1, name: question.text.trim().replace(/\s+/g, " ") }] : [],
  };
}

/** The picture in its own size with the masks drawn in, as PNG. */
export function png({ bitmap, width }, { shapes, references }) {
  const canvas = make("canvas");
  const layers = { masks: shapes, references: references.map((one) => one.reference), pointed: null };
  draw(canvas, backdrop(bitmap, width), layers);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Save an entry of the history as "png", "coco" or "record". */
export async function save(kind, picture, entry) {
  const stem = picture.name.replace(/\.[^.]*$/, "");
  const json = (content) => new Blob([JSON.stringify(content) + "\n"], { type: "application/json" });
  if (kind === "png") offer(await png(picture, entry), `${stem}-answer.png`);
  if (kind === "coco") offer(json(coco(picture, entry)), `${stem}-coco.json`);
  if (kind === "record") offer(json(record(entry)), `${stem}-record.json`);
}

function offer(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
