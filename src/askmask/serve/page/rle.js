/**
 * COCO's compressed run-length codes.
 *
 * Pixels are counted down the columns: (x, y) of a mask of height h has position x * h + y.
 */

/** Lengths of the runs, background first. */
export function runLengths(counts) {
  const runs = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let group;
    do {
      group = counts.charCodeAt(at++) - 48;
      value |= (group & 31) << shift;
      shift += 5;
    } while (group & 32);
    if (group & 16 && shift < 32) value |= -1 << shift;
    // From the fourth run on: the difference to the run two before.
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return runs;
}

/** A mask: its size, and where each run of its pixels begins and ends. */
export class Mask {
  /** @param {{size: [number, number], counts: string}} code */
  constructor(code) {
    [this.height, this.width] = code.size;
    this.counts = code.counts;
    this.spans = [];
    let position = 0;
    for (const [number, length] of runLengths(code.counts).entries()) {
      if (number % 2 && length) this.spans.push([position, position + length]);
      position += length;
    }
    if (position !== this.height * this.width) throw new RangeError("a mask of another size");
  }

  get area() {
    return this.spans.reduce((sum, [start, end]) => sum + end - start, 0);
  }

  /** Smallest `{x, y, width, height}` around it, or null when it is empty. */
  get box() {
    if (!this.spans.length) return null;
    const h = this.height;
    let [top, bottom] = [h, 0];
    for (const [start, end] of this.spans) {
      const sameColumn = Math.floor(start / h) === Math.floor((end - 1) / h);
      top = Math.min(top, sameColumn ? start % h : 0);
      bottom = Math.max(bottom, sameColumn ? ((end - 1) % h) + 1 : h);
    }
    const left = Math.floor(this.spans[0][0] / h);
    const right = Math.floor((this.spans.at(-1)[1] - 1) / h) + 1;
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  /** Call `paint(x, y)` for each of its pixels. */
  each(paint) {
    for (const [start, end] of this.spans) {
      let x = Math.floor(start / this.height);
      let y = start % this.height;
      for (let position = start; position < end; position++) {
        paint(x, y);
        if (++y === this.height) {
          y = 0;
          x++;
        }
      }
    }
  }

  /** Its pixels within `box` as rows of 0 and 1. */
  within(box) {
    const rows = new Uint8Array(box.width * box.height);
    this.each((x, y) => {
      const [column, row] = [x - box.x, y - box.y];
      if (column >= 0 && row >= 0 && column < box.width && row < box.height) {
        rows[row * box.width + column] = 1;
      }
    });
    return rows;
  }
}
