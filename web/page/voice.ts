/**
 * Draws the voice of the room as a line of strokes that runs to the left: the
 * last seconds of what was heard. It is an ornament; who speaks is said in words.
 */

/** A stroke and the gap behind it, in CSS pixels. */
const stepPx = 6;
const strokePx = 3;
/** How many steps it fades in. */
const shades = 8;

/** The line of a room. */
export class VoiceLine {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D | null;
  #levels: number[] = [];
  #width = 0;
  #height = 0;
  #colour = "";

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    new ResizeObserver(() => this.#fit()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#fit());
  }

  /** Takes how loud it is now, 0 to 1: a stroke. */
  push(level: number): void {
    const flat = this.#levels.every((old) => old === 0);
    this.#levels.push(level);
    this.#levels.splice(0, this.#levels.length - this.#capacity());
    if (level !== 0 || !flat) this.#draw(); // a flat line stays as it is
  }

  /** Forgets what was heard: the line is flat. */
  clear(): void {
    this.#levels = [];
    this.#draw();
  }

  #capacity(): number {
    return Math.max(1, Math.floor(this.#width / stepPx));
  }

  #fit(): void {
    this.#width = this.#canvas.clientWidth; // asked for here only: it would lay the page out at each stroke
    this.#height = this.#canvas.clientHeight;
    this.#canvas.width = Math.round(this.#width * devicePixelRatio);
    this.#canvas.height = Math.round(this.#height * devicePixelRatio);
    this.#colour = getComputedStyle(this.#canvas).color;
    this.#draw();
  }

  #draw(): void {
    const to = this.#context;
    if (to === null) return;
    const height = this.#height;
    const capacity = this.#capacity();
    to.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    to.clearRect(0, 0, this.#width, height);
    to.fillStyle = this.#colour;
    const level = (i: number): number => this.#levels[this.#levels.length - capacity + i] ?? 0;
    // What is silent in one go, and what is not in a few that fade to the left: a path is dear, a stroke in it is not.
    const fill = (alpha: number, from: number, until: number, silent: boolean): void => {
      to.globalAlpha = alpha;
      to.beginPath();
      for (let i = from; i < until; i++) {
        if ((level(i) === 0) !== silent) continue;
        const tall = strokePx + (height - strokePx) * level(i);
        to.rect(i * stepPx, (height - tall) / 2, strokePx, tall);
      }
      to.fill();
    };
    fill(0.25, 0, capacity, true);
    for (let shade = 0; shade < shades; shade++) {
      fill(0.3 + (0.7 * (shade + 1)) / shades, Math.floor((capacity * shade) / shades), Math.floor((capacity * (shade + 1)) / shades), false);
    }
  }
}
