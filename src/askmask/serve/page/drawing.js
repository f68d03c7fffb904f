/**
 * A picture with masks drawn in: visible pixels filled, hidden ones hatched, all outlined and
 * numbered, as in the pictures of `askmask segment`.
 */

import { PANEL, WHITE, colourOf, css, inkOn } from "./palette.js";

const DIMMING = 0.27; // how far the pixels outside the answer fade
const FILL = 0.45;
const STRIPE = 0.85;
const STRIPE_GAP = 0.16;

/**
 * A picture in the size in which it is shown, plain and faded: made once for many drawings.
 * @param {ImageBitmap} picture
 * @param {number} width in pixels of the canvas
 */
export function backdrop(picture, width) {
  const height = Math.round((width * picture.height) / picture.width);
  const [plain, faded] = [new OffscreenCanvas(width, height), new OffscreenCanvas(width, height)];
  const pen = plain.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
  const grey = faded.getContext("2d");
  grey.drawImage(plain, 0, 0);
  grey.globalCompositeOperation = "saturation";
  grey.fillStyle = css([128, 128, 128], DIMMING);
  grey.fillRect(0, 0, width, height);
  grey.globalCompositeOperation = "source-over";
  grey.fillStyle = css([0, 0, 0], DIMMING);
  grey.fillRect(0, 0, width, height);
  return { plain, faded, scale: width / picture.width };
}

/**
 * Draw a picture with layers.
 * @param {HTMLCanvasElement} canvas gets the size of the backdrop
 * @param {object} behind the backdrop
 * @param {{masks: object[], references: object[], pointed: ?object}} layers shapes of shapes.js:
 *   the answer, best first; [1], [2], …; and the object that is pointed at
 * @param {number} smallest least length, in pixels of the canvas, that line widths derive from
 */
export function draw(canvas, { plain, faded, scale }, layers, smallest = 0.6) {
  // To set a size is to make the canvas anew.
  if (canvas.width !== plain.width || canvas.height !== plain.height) {
    [canvas.width, canvas.height] = [plain.width, plain.height];
  }
  const pen = canvas.getContext("2d");
  // In the picture's pixels: marks are as large as on a picture of 640 x 480.
  const unit = Math.max(smallest, Math.sqrt((plain.width * plain.height) / (480 * 640))) / scale;
  const masks = layers.masks.filter(Boolean);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(masks.length ? faded : plain, 0, 0);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.lineJoin = "round";
  if (masks.length) light(pen, plain, [...masks, ...layers.references]);
  // Best masks last, so that the surest one is never covered.
  for (let i = layers.masks.length - 1; i >= 0; i--) {
    if (layers.masks[i]) paintMask(pen, layers.masks[i], colourOf(i), unit);
  }
  for (const one of layers.references) paintReference(pen, one, unit);
  if (layers.pointed) paintPointed(pen, layers.pointed, unit);
  for (const [i, one] of layers.masks.entries()) {
    if (one) badge(pen, one.mark, `${i + 1}`, colourOf(i), unit);
  }
  for (const [i, { mark }] of layers.references.entries()) {
    const taken = masks.some((one) => Math.hypot(one.mark.x - mark.x, one.mark.y - mark.y) < 20 * unit);
    const place = taken ? { ...mark, x: mark.x + 26 * unit } : mark;
    badge(pen, place, `[${i + 1}]`, WHITE, unit);
  }
}

/** Show the plain picture within some shapes. */
function light(pen, plain, shapes) {
  const all = new Path2D();
  for (const { whole } of shapes) all.addPath(whole);
  pen.save();
  pen.clip(all);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(plain, 0, 0);
  pen.restore();
}

function paintMask(pen, { whole, visible, hidden }, colour, unit) {
  if (visible) {
    pen.fillStyle = css(colour, FILL);
    pen.fill(visible);
  }
  if (hidden) hatch(pen, hidden, colour, unit);
  const width = 2.4 * unit;
  stroke(pen, whole, css(WHITE, 0.85), 1.9 * width);
  stroke(pen, whole, css(colour), width);
}

/** Stripes of 45 degrees. */
function hatch(pen, path, colour, unit) {
  const { width, height } = pen.canvas;
  const [right, bottom] = [width / pen.getTransform().a, height / pen.getTransform().a];
  const period = 9 * unit * Math.SQRT2;
  pen.save();
  pen.clip(path);
  pen.fillStyle = css(colour, STRIPE_GAP);
  pen.fill(path);
  const stripes = new Path2D();
  for (let at = period / 2; at < right + bottom; at += period) {
    stripes.moveTo(at, 0);
    stripes.lineTo(at - bottom, bottom);
  }
  stroke(pen, stripes, css(colour, STRIPE), 3.2 * unit);
  pen.restore();
}

/** White with a dark casing, which reads on every background. */
function paintReference(pen, { whole }, unit) {
  stroke(pen, whole, css(PANEL, 0.9), 4.8 * unit);
  stroke(pen, whole, css(WHITE), 2.2 * unit);
}

/** The object under the pointer: light, and dashed where it is hidden. */
function paintPointed(pen, { visible, hidden }, unit) {
  for (const [path, dashes] of [[hidden, [5 * unit, 4 * unit]], [visible, []]]) {
    if (!path) continue;
    pen.fillStyle = css(WHITE, 0.2);
    pen.fill(path);
    pen.setLineDash(dashes);
    stroke(pen, path, css(PANEL, 0.7), 3.6 * unit);
    stroke(pen, path, css(WHITE), 1.6 * unit);
  }
}

function stroke(pen, path, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

/** A number: round for a mask, square for a reference. */
function badge(pen, mark, label, colour, unit) {
  const isReference = colour === WHITE;
  const radius = 10 * unit;
  pen.font = `600 ${12.5 * unit}px system-ui, sans-serif`;
  const width = Math.max(2 * radius, pen.measureText(label).width + 9 * unit);
  let { x, y } = mark;
  if (mark.depth < 1.2 * radius && mark.top > 2.6 * radius) y = mark.top - 1.4 * radius;
  const scale = pen.getTransform().a;
  x = clamp(x, width / 2, pen.canvas.width / scale - width / 2);
  y = clamp(y, radius, pen.canvas.height / scale - radius);
  pen.beginPath();
  pen.roundRect(x - width / 2, y - radius, width, 2 * radius, isReference ? radius / 2 : radius);
  pen.fillStyle = css(colour);
  pen.fill();
  pen.strokeStyle = css(isReference ? PANEL : WHITE);
  pen.lineWidth = 1.5 * unit;
  pen.stroke();
  pen.fillStyle = css(inkOn(colour));
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(label, x, y + 0.6 * unit);
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
