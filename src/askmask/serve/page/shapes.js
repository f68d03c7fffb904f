/** Masks made ready to be drawn: paths in the picture's coordinates. */

import { outline } from "./contours.js";
import { innerPoint } from "./inner-point.js";
import { Mask } from "./rle.js";

/**
 * A mask whose visible and hidden pixels are drawn differently.
 * @param {{size, counts}} code which pixels
 * @param {?{size, counts}} modal which of them are visible; null: all
 * @returns {?{whole: Path2D, visible: ?Path2D, hidden: ?Path2D, mark: object}} null when empty
 */
export function shape(code, modal = null) {
  const mask = new Mask(code);
  const { box } = mask;
  if (!box) return null;
  const whole = mask.within(box);
  const seen = modal ? new Mask(modal).within(box) : whole;
  const visible = whole.map((pixel, place) => pixel & seen[place]);
  const hidden = whole.map((pixel, place) => pixel & ~seen[place]);
  const anyVisible = visible.includes(1);
  return {
    whole: outline(whole, box),
    visible: anyVisible ? outline(visible, box) : null,
    hidden: hidden.includes(1) ? outline(hidden, box) : null,
    mark: markOf(anyVisible ? visible : whole, box),
  };
}

/** Where its number goes: deep inside, or `top`, above it, where the number would cover it. */
function markOf(rows, box) {
  const point = innerPoint(rows, box);
  const column = Math.floor(point.x) - box.x;
  let row = Math.floor(point.y) - box.y;
  while (row > 0 && rows[(row - 1) * box.width + column]) row--;
  return { ...point, top: box.y + row };
}
