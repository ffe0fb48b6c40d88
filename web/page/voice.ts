/**
 * Draws the voice of the room as a line of strokes that runs to the left: the
 * last seconds of what was heard. It is an ornament; who speaks is said in words.
 */

/** A stroke and the gap behind it, in CSS pixels. */
const stepPx = 6;
const strokePx = 3;

/** The line of a room. */
export class VoiceLine {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D | null;
  #levels: number[] = [];
  #colour = "";

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#fit());
  }

  /** Adds how loud it is now, 0 to 1, and draws. */
  push(level: number): void {
    this.#levels.push(level);
    this.#levels.splice(0, this.#levels.length - this.#capacity());
    this.#draw();
  }

  /** Forgets what was heard: the line is flat. */
  clear(): void {
    this.#levels = [];
    this.#draw();
  }

  #capacity(): number {
    return Math.max(1, Math.floor(this.#canvas.clientWidth / stepPx));
  }

  #fit(): void {
    this.#canvas.width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    this.#colour = getComputedStyle(this.#canvas).color;
    this.#draw();
  }

  #draw(): void {
    const to = this.#context;
    if (to === null) return;
    const height = this.#canvas.clientHeight;
    const capacity = this.#capacity();
    to.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    to.clearRect(0, 0, this.#canvas.clientWidth, height);
    to.fillStyle = this.#colour;
    for (let i = 0; i < capacity; i++) {
      const level = this.#levels[this.#levels.length - capacity + i] ?? 0;
      const tall = strokePx + (height - strokePx) * level;
      to.globalAlpha = level === 0 ? 0.25 : 0.3 + (0.7 * (i + 1)) / capacity;
      to.beginPath();
      to.roundRect(i * stepPx, (height - tall) / 2, strokePx, tall, strokePx / 2);
      to.fill();
    }
  }
}
