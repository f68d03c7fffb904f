/** From the pixels of a mask to smooth lines around it, which stay sharp at every scale. */

const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]]; // east, south, west, north
const SMOOTHING = 2; // neighbours on either side that a point is averaged with

/**
 * The outline of some pixels as a path in the picture's coordinates, to be filled or stroked.
 * @param {Uint8Array} rows 0 or 1, `box.width` to a row
 * @param {{x: number, y: number, width: number, height: number}} box where they are
 */
export function outline(rows, box) {
  const path = new Path2D();
  for (const loop of loops(rows, box.width, box.height)) {
    for (const [number, [x, y]] of smooth(loop).entries()) {
      if (number) path.lineTo(box.x + x, box.y + y);
      else path.moveTo(box.x + x, box.y + y);
    }
    path.closePath();
  }
  return path;
}

/** Walks along the edges of pixels, with the mask on the right hand: middles of the edges. */
function* loops(rows, width, height) {
  const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && rows[y * width + x] === 1;
  const seen = new Uint8Array(width * height); // pixels along whose upper edge a walk has come
  for (let top = 0; top < height; top++) {
    for (let left = 0; left < width; left++) {
      if (!inside(left, top) || inside(left, top - 1) || seen[top * width + left]) continue;
      const points = [];
      let [x, y, heading] = [left, top, 0];
      do {
        const [dx, dy] = STEPS[heading];
        if (heading === 0) seen[y * width + x] = 1;
        points.push([x + dx / 2, y + dy / 2]);
        x += dx;
        y += dy;
        // The two pixels ahead of the corner that was reached.
        const right = inside(x + (dx - dy - 1) / 2, y + (dx + dy - 1) / 2);
        const ahead = inside(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2);
        if (!right) heading = (heading + 1) % 4;
        else if (ahead) heading = (heading + 3) % 4;
      } while (x !== left || y !== top || heading !== 0);
      yield points;
    }
  }
}

/** Average the points of a closed line with their neighbours, and keep every other one. */
function smooth(points) {
  const size = points.length;
  const reach = Math.min(SMOOTHING, Math.floor((size - 1) / 4));
  const smoothed = [];
  for (let middle = 0; middle < size; middle += reach || 1) {
    let [x, y] = [0, 0];
    for (let step = -reach; step <= reach; step++) {
      const point = points[(middle + step + size) % size];
      x += point[0];
      y += point[1];
    }
    smoothed.push([x / (2 * reach + 1), y / (2 * reach + 1)]);
  }
  return smoothed;
}
