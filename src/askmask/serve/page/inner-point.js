/** Where a number is best written on a mask: the same place as in our other pictures. */

const CELLS = 64;

/**
 * The point of some pixels that is farthest from their edge, or null when there are none.
 *
 * They are thinned to at most 64 cells a side and peeled layer by layer; of the cells that stay
 * longest the one nearest to their mean wins.
 * @param {Uint8Array} rows 0 or 1, `box.width` to a row
 * @param {{x: number, y: number, width: number, height: number}} box where they are
 * @returns {?{x: number, y: number, depth: number}}
 */
export function innerPoint(rows, box) {
  const step = Math.max(1, Math.ceil(Math.max(box.width, box.height) / CELLS));
  let last = thinned(rows, box, step);
  let scale = step;
  if (!last.cells.length) {
    // Thinning may miss every pixel of a thread: then its pixels are taken as they are.
    last = thinned(rows, box, 1);
    scale = 1;
  }
  if (!last.cells.length) return null;
  let depth = 0;
  for (let layer = last; layer.cells.length; layer = peeled(layer)) {
    last = layer;
    depth++;
  }
  const mean = (axis) => last.cells.reduce((sum, cell) => sum + cell[axis], 0) / last.cells.length;
  const [x, y] = [mean(0), mean(1)];
  const distance = (cell) => (cell[0] - x) ** 2 + (cell[1] - y) ** 2;
  const best = last.cells.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  const middle = Math.floor(scale / 2) + 0.5;
  return {
    x: box.x + best[0] * scale + middle,
    y: box.y + best[1] * scale + middle,
    depth: depth * scale,
  };
}

function thinned(rows, box, step) {
  const offset = Math.floor(step / 2);
  const cells = [];
  for (let y = 0; y * step + offset < box.height; y++) {
    for (let x = 0; x * step + offset < box.width; x++) {
      if (rows[(y * step + offset) * box.width + x * step + offset]) cells.push([x, y]);
    }
  }
  return layerOf(cells);
}

function layerOf(cells) {
  return { cells, has: new Set(cells.map(([x, y]) => y * 65536 + x)) };
}

function peeled({ cells, has }) {
  const there = (x, y) => has.has(y * 65536 + x);
  return layerOf(
    cells.filter(([x, y]) => there(x - 1, y) && there(x + 1, y) && there(x, y - 1) && there(x, y + 1)),
  );
}
