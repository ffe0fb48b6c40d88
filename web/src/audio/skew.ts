import { clamp } from "./config";

/** ms; one point each: the quickest frame in it. */
const BUCKET = 2000;
/** So two minutes are looked at. */
const POINTS = 64;
/** ms; fewer say nothing: 5 ms of noise would be 250 ppm. */
const SPAN = 20_000;
/** ms between two points: another path, not a clock. */
const JUMP = 15;
/** ms without a point: begin again. */
const GAP = 60_000;
/** Worse than any clock sold. */
const WORST = 500e-6;

/** The lower edge of the transit times at one moment, ms. */
interface Point {
  arrival: number;
  offset: number;
}

/**
 * Measures by how much the speaker's clock is slower than ours: the slope of the
 * shortest transits over the last two minutes, by least squares.
 */
export class Skew {
  /** 1e-6 is one ppm; positive: the speaker's clock is slow. 0 until 20 s are measured. */
  ratio = 0;

  private readonly points: Point[] = []; // oldest first
  private best: Point | null = null; // of the bucket being filled
  private opened = 0;

  /** Takes a frame's arrival and its arrival minus its media time, ms. */
  observe(arrival: number, offset: number): void {
    if (this.best && arrival - this.opened < BUCKET && arrival >= this.opened) {
      if (offset < this.best.offset) this.best = { arrival, offset };
      return;
    }
    if (this.best) this.add(this.best);
    this.opened = arrival;
    this.best = { arrival, offset };
  }

  private add(p: Point): void {
    const last = this.points.at(-1);
    if (last) {
      const gap = p.arrival - last.arrival;
      // The ratio stays what it was: the clocks are the same.
      if (Math.abs(p.offset - last.offset) > JUMP || gap > GAP || gap <= 0) this.points.length = 0;
    }
    if (this.points.length === POINTS) this.points.shift();
    this.points.push(p);
    this.fit();
  }

  private fit(): void {
    const first = this.points[0]!;
    if (this.points.at(-1)!.arrival - first.arrival < SPAN) return;
    let x = 0, y = 0, xx = 0, xy = 0;
    for (const p of this.points) {
      const dx = p.arrival - first.arrival;
      const dy = p.offset - first.offset;
      x += dx;
      y += dy;
      xx += dx * dx;
      xy += dx * dy;
    }
    const n = this.points.length;
    this.ratio = clamp((n * xy - x * y) / (n * xx - x * x), -WORST, WORST);
  }
}
