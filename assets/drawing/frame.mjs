/*
 * Which part of an image is seen on a stage, and how large; arithmetic only.
 *
 * x and y are the image position (in pixels from the image's top left corner) at the top left of the stage, scale is
 * screen pixels an image pixel. Pixel centres are at whole numbers on the axes: position = axis value + 0.5.
 */

/** Screen pixels that an image pixel takes at most. */
export const MAX_SCALE = 64;

/** As small an image can always be shown: a pixel of it on one of a dense screen. */
const LEAST_SCALE = 0.5;

const MIN_SCALE = 1e-3;
const MARGIN = 12;
const OVERLAP = 40;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class Frame {
  x = 0;
  y = 0;
  scale = 1;
  /** Size of the image in pixels. */
  columns = 1;
  rows = 1;
  /** Size of the stage in screen pixels. */
  width = 0;
  height = 0;
  /** Whether the whole image is to be seen, also when the stage changes its size. */
  fitted = true;

  get fitScale() {
    const across = (this.width - 2 * MARGIN) / this.columns;
    const down = (this.height - 2 * MARGIN) / this.rows;
    return Math.max(Math.min(across, down, MAX_SCALE), MIN_SCALE);
  }

  /** The part of the image that is on screen: first row, last row, first column, last column (exclusive). */
  get visible() {
    return [
      clamp(Math.floor(this.y), 0, this.rows), clamp(Math.ceil(this.y + this.height / this.scale), 0, this.rows),
      clamp(Math.floor(this.x), 0, this.columns), clamp(Math.ceil(this.x + this.width / this.scale), 0, this.columns),
    ];
  }

  /** Where the image begins, in screen pixels from the stage's left edge. */
  get imageLeft() {
    return -this.x * this.scale;
  }

  /** The ranges of Plotly's axes that show this part. */
  get axisRanges() {
    const [left, top] = [this.x - 0.5, this.y - 0.5];
    return {
      "xaxis.range": [left, left + this.width / this.scale],
      "yaxis.range": [top + this.height / this.scale, top],
    };
  }

  /**
   * The image position, on the axes' scale, at a place on the stage.
   * @param {number} left screen pixels from the stage's left edge
   * @param {number} top screen pixels from its top edge
   * @returns {[x: number, y: number]}
   */
  imageAt(left, top) {
    return [this.x + left / this.scale - 0.5, this.y + top / this.scale - 0.5];
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.centre();
  }

  centre() {
    this.x = (this.columns - this.width / this.scale) / 2;
    this.y = (this.rows - this.height / this.scale) / 2;
  }

  /**
   * Let an image position, on the axes' scale, be in the middle.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  goTo(x, y, scale) {
    this.scale = clamp(scale, Math.min(this.fitScale, LEAST_SCALE), MAX_SCALE);
    this.x = x + 0.5 - this.width / 2 / this.scale;
    this.y = y + 0.5 - this.height / 2 / this.scale;
    this.fitted = false;
  }

  /**
   * Zoom by a factor, keeping the image where it is under a place on the stage.
   * @param {number} factor
   * @param {number} left screen pixels from the stage's left edge
   * @param {number} top screen pixels from its top edge
   */
  zoom(factor, left, top) {
    const least = Math.min(this.fitScale / 2, LEAST_SCALE);
    const scale = clamp(this.scale * factor, least, Math.max(MAX_SCALE, this.fitScale));
    this.x += left / this.scale - left / scale;
    this.y += top / this.scale - top / scale;
    this.scale = scale;
    this.fitted = false;
    if (scale <= this.fitScale) this.centre();
  }

  /**
   * Move the image.
   * @param {number} dx screen pixels to the right
   * @param {number} dy screen pixels down
   */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.fitted = false;
  }

  /** Leave some of the image in sight. */
  keepInSight() {
    const overlap = OVERLAP / this.scale;
    this.x = clamp(this.x, overlap - this.width / this.scale, this.columns - overlap);
    this.y = clamp(this.y, overlap - this.height / this.scale, this.rows - overlap);
  }
}
