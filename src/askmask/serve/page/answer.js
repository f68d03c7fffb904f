/** The panel about an answer: what was found, of which type, how sure, and what to do with it. */

import { bar, count, figure, make, percent, sentence } from "./dom.js";
import { Mask } from "./rle.js";

const TYPES = { modal: "visible part", amodal: "whole shape", hidden: "hidden part" };

/** One sentence about an answer, for those who cannot see it. */
export function inWords({ answer }) {
  const { masks, mask_type: type, mask_type_probability: shares, unsure } = answer;
  const found = masks.length ? `${count(masks.length, "mask")}, ${type}` : "Nothing fits";
  const sure = masks.length && shares ? ` ${percent(shares[type])}` : "";
  return `${found}${sure}.${unsure ? ` Not sure: ${unsure}.` : ""}`;
}

/** What the picture itself must say, as the panel may be out of sight. */
export function remark({ answer: { masks, no_target_probability: none, unsure } }) {
  if (!masks.length) return "Nothing fits" + (none === null ? "" : ` (${percent(none)})`);
  return unsure ? "Not sure" : "";
}

/** Contents of the panel before the first question. */
export function beforeAnswer(found) {
  return [
    make("h2", { id: "answer-title" }, "Ready"),
    make("p", {}, found ? `${count(found, "object")} found. ` : "",
      "Ask with a sentence: the wording decides between the visible part, the whole shape and the hidden part."),
  ];
}

/**
 * Contents of the panel.
 * @param {object} entry of history.js
 * @param {{type: function, auto: function, point: function, save: function}} on what buttons do
 */
export function answerPanel(entry, on) {
  const { answer } = entry;
  return [
    make("h2", { id: "answer-title" }, answer.masks.length ? count(answer.masks.length, "mask") : "Nothing fits"),
    answer.masks.length ? null : nothing(answer),
    answer.unsure ? make("p", { class: "note" }, make("b", {}, "Not sure. "), sentence(answer.unsure)) : null,
    typeChoice(entry, on),
    answer.masks.length ? maskList(answer, on) : null,
    answer.rationale && answer.masks.length
      ? make("p", { class: "small why" }, make("b", {}, "Why: "), sentence(answer.rationale)) : null,
    exports(on),
    make("p", { class: "small", id: "time" }, timeInWords(entry)),
  ];
}

function nothing({ no_target_probability: share, rationale }) {
  return make("p", { class: "nothing" },
    "Nothing in the picture is what the sentence asks for",
    share === null ? ". " : ` (${percent(share)} sure). `,
    rationale === null ? null : sentence(rationale.replace(/^nothing fits \([^)]*\); /, "")), " ",
    "Say it in other words, or click the object that you mean and say ",
    make("code", {}, "[1]"), ".");
}

function typeChoice({ answer, question }, on) {
  const shares = answer.mask_type_probability;
  const options = Object.entries(TYPES).map(([type, words]) =>
    make("label", { class: "type" },
      make("input", {
        type: "radio", name: "type", value: type,
        checked: type === answer.mask_type, onchange: () => on.type(type),
      }),
      make("span", { class: `swatch ${type}`, "aria-hidden": "true" }),
      make("b", {}, type), make("span", { class: "words" }, words),
      shares ? make("span", { class: "figure" }, percent(shares[type])) : null,
      shares ? bar(shares[type]) : null));
  const byHand = question.mask_type !== null;
  return make("fieldset", { class: "types" },
    make("legend", {}, "Mask type, ", byHand ? "chosen by hand" : "chosen by the sentence"),
    make("div", { class: "options" }, ...options),
    byHand && make("button", { type: "button", class: "link", onclick: on.auto }, "Let the sentence decide"));
}

function maskList({ masks, mask_type: type }, on) {
  return make("ol", { class: "masks" }, ...masks.map((mask, place) => {
    const area = new Mask(mask.segmentation).area;
    const size = area ? `${area.toLocaleString("en")} pixels` : "nothing of it is hidden";
    return make("li", { onmouseenter: () => on.point(mask), onmouseleave: () => on.point(null) },
      make("span", { class: `badge colour-${place % 7}` }, `${place + 1}`),
      make("span", { class: "size" }, type === "modal" || area ? size : "nothing of it is hidden"),
      make("span", { class: "figure", "aria-label": `score ${figure(mask.score)}` }, figure(mask.score)),
      bar(mask.score));
  }));
}

function exports(on) {
  const button = (kind, words, title) =>
    make("button", { type: "button", class: "quiet", title, onclick: () => on.save(kind) }, words);
  return make("div", { class: "exports", role: "group", "aria-label": "Save the answer" },
    make("span", { class: "small" }, "Save"),
    button("png", "PNG", "The picture with the masks drawn in"),
    button("coco", "COCO", "Masks as COCO json"),
    button("record", "Record", "The prediction record of askmask"));
}

/** How long an answer took; nothing while that is not known. */
export function timeInWords({ milliseconds, answer }) {
  if (milliseconds === null) return "";
  const model = answer.seconds === null ? "" : `, ${Math.round(1000 * answer.seconds)} ms of it the model`;
  return `Answered in ${Math.round(milliseconds)} ms${model}.`;
}
