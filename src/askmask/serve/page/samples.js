/** Pictures to begin with: scenes of our own, with sentences that show what can be asked. */

import { make } from "./dom.js";

const SAMPLES = [
  {
    file: "pasta.jpg",
    title: "Pasta and coffee",
    sentences: [
      "the whole mayonnaise jar, also behind the coffee",
      "what the coffee hides of the mayonnaise",
      "all boxes",
      "a bicycle",
    ],
  },
  {
    file: "cereal.jpg",
    title: "Cereal and vinegar",
    sentences: [
      "the whole cereal box, also behind the bottle",
      "what the bottle hides of the cereal",
      "all jars",
      "the jar of olives",
    ],
  },
  {
    file: "boxes.jpg",
    title: "Three boxes of pasta",
    sentences: [
      "all boxes of pasta",
      "the hidden part of the eggs",
      "the jar of olives",
      "the yogurt",
    ],
  },
  {
    file: "cans.jpg",
    title: "Cans and an orange",
    sentences: [
      "all cans",
      "the whole can of mushrooms, also behind the honey",
      "the hidden part of the mushrooms",
      "all jars of jam",
    ],
  },
];

/**
 * A card for each sample.
 * @param {function(Blob, string[])} open called with a file and its sentences
 * @param {function(Error)} fail called when the file cannot be had
 */
export function sampleCards(open, fail) {
  return SAMPLES.map(({ file, title, sentences }) => {
    const address = new URL(`samples/${file}`, import.meta.url);
    const choose = async () => {
      const data = await (await fetch(address)).blob();
      await open(new File([data], file, { type: data.type }), sentences);
    };
    return make("li", {},
      make("button", { type: "button", class: "sample", onclick: () => choose().catch(fail) },
        make("img", { src: address, alt: "", width: 640, height: 480 }),
        make("span", {}, title)));
  });
}
