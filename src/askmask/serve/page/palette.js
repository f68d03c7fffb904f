/** Colours of masks: the same as in src/askmask/overlay/palette.py, which a test compares. */

export const WHITE = [255, 255, 255];
export const PANEL = [22, 24, 29];

const COLOURS = [
  [0, 141, 218], // blue
  [245, 166, 0], // orange
  [0, 176, 128], // green
  [226, 94, 10], // vermilion
  [214, 121, 178], // pink
  [110, 196, 245], // sky
  [240, 228, 66], // yellow
];

/** Colour of the mask at `index`, from 0. */
export const colourOf = (index) => COLOURS[index % COLOURS.length];

/** Black or white, whichever reads better on a colour. */
export function inkOn([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? PANEL : WHITE;
}

/** A colour as CSS writes it. */
export const css = (colour, opacity = 1) => `rgb(${colour.join(" ")} / ${opacity})`;
