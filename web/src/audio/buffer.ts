import { type BufferConfig, FRAME_MS, type FullConfig, withDefaults } from "./config";
import { Estimator } from "./estimator";
import { ask, type Hole } from "./holes";
import { Playhead } from "./playhead";
import type { Slot } from "./slot";
import type { Outcome, Stats, Timing } from "./stats";
import { Timeline } from "./timeline";
import { type Entry, Window } from "./window";

/**
 * How far apart in time, in ms, two consecutive frames are when the speaker fell
 * silent between them. Less is the speaker's timestamps being rough.
 */
const PAUSE = FRAME_MS / 2;

/**
 * How early, in ms, a frame may follow speech before it: the resampler makes up
 * for it, while a silence of a millisecond would be a click.
 */
const SOON = 5;

/**
 * ms after skip in which frames held up by the sleep may still come in a burst;
 * they are not worth playing late.
 */
const WAKING = 1000;

/**
 * Holds one track's frames until they are due. Push frames as they come, ask for
 * holes after that and every 20 ms, and pop whenever 20 ms more are to sound. It
 * reads no clock: every now is ms of any one monotonic clock, as
 * performance.now(). What a peer sends cannot make it hold more than a fixed
 * number of packets. The arithmetic is written down in docs/playout.md.
 */
export class Buffer {
  private readonly config: FullConfig;
  private readonly win: Window;
  private readonly est: Estimator;
  private line = new Timeline();
  private head = new Playhead();

  private over = false; // end was called
  private unheard = false; // skip was the last to move on
  private live = -Infinity; // until then what is late is skipped

  constructor(config: BufferConfig = {}) {
    this.config = withDefaults(config);
    this.win = new Window(this.config.frames);
    this.est = new Estimator(this.config);
  }

  /**
   * Takes a frame that came at now: its sequence, the speaker's timestamp in
   * microseconds and one Opus packet, which is copied. Frames may come in any
   * order and from several sources; the first copy of a sequence wins.
   */
  push(sequence: number, timestampUs: number, packet: Uint8Array, now: number): Outcome {
    return this.take(sequence, timestampUs, packet, now, false);
  }

  /** Is push for a frame that was fetched because it was missing. */
  pushRepaired(sequence: number, timestampUs: number, packet: Uint8Array, now: number): Outcome {
    return this.take(sequence, timestampUs, packet, now, true);
  }

  /**
   * Takes the frame before the first that came, as long as nothing was played and it is
   * not late, so that a listener who has just come hears something as soon as it
   * is here rather than a delay later. False if it is not wanted, nor any before it.
   */
  precede(sequence: number, timestampUs: number, packet: Uint8Array, now: number): boolean {
    if (!this.win.takesBefore(sequence) || !this.line.begun) return false;
    const media = this.line.place(sequence, timestampUs, now, this.est.base);
    if (this.due(media, this.est.delay(now)) < now) return false;
    const [, e] = this.win.admit(sequence, timestampUs, packet, now);
    if (e) e.media = media;
    return e !== null;
  }

  private take(seq: number, timestampUs: number, packet: Uint8Array, now: number, repaired: boolean): Outcome {
    const { restarts } = this.win;
    const [outcome, e] = this.win.admit(seq, timestampUs, packet, now);
    if (outcome === "duplicate" || outcome === "refused") return outcome;
    if (this.win.restarts !== restarts) this.restart();
    const media = this.line.place(seq, timestampUs, now, this.est.base);
    const heldUp = now < this.live && this.due(media, this.est.delay(now)) < now;
    if (!repaired && !heldUp) this.est.observe(media, now);
    if (e) {
      e.media = media;
      e.repaired = repaired;
      e.heldUp = heldUp;
    }
    return outcome;
  }

  /** Forgets what ties the frames played so far to those to come. */
  private restart(): void {
    this.line = new Timeline();
    this.est.restart();
    this.head = new Playhead();
  }

  /**
   * Says at now that the track is over. No sequence from end on exists; those
   * missing below it can still be fetched. 0 means that the last sequence is not
   * known: then it is the newest that came.
   */
  end(end: number, now: number): void {
    this.over = true;
    if (this.win.begun && end > this.win.end && Number.isSafeInteger(end)) this.win.extend(end, now);
  }

  /** Whether the track is over and all of it was given out. */
  get done(): boolean {
    return this.over && this.win.empty;
  }

  /** What was counted so far: a copy. */
  get stats(): Stats {
    return { ...this.win.stats };
  }

  /** The state at now. */
  timing(now: number): Timing {
    return {
      delay: this.est.delay(now),
      spread: this.est.spread,
      lag: this.head.lag,
      skew: this.est.skew,
      buffered: this.win.end - this.win.next - this.win.missing,
      missing: this.win.missing,
    };
  }

  /** How many sequences are known to be missing. */
  get missing(): number {
    return this.win.missing;
  }

  /** By how much the speaker's clock is slower than ours: 1e-6 is one ppm. */
  get skew(): number {
    return this.est.skew;
  }

  /**
   * When the frame after the newest one will have come, if the speaker does not
   * pause: 99 in 100 come by then. Null before the first frame, and where the next
   * is left out. A hop adds its margin to this.
   */
  expectedBy(): { sequence: number; by: number } | null {
    const sequence = this.line.newest + 1;
    if (!this.line.begun || (sequence >= this.win.gap && sequence < this.win.gapEnd)) return null;
    return { sequence, by: this.est.base + this.line.media + FRAME_MS + this.est.spread };
  }

  /**
   * The sequences to FETCH now, oldest first: those missing for which something
   * newer came, at least `reorder` ago, and whose repair, one round trip (ms,
   * the caller's measure to where it would fetch) away, is in time. A sequence is
   * given out once; again only when the round trip and 20 ms went by without it,
   * or after fetchFailed, and three times at most.
   */
  holes(now: number, roundTrip: number): Hole[] {
    const found: Hole[] = [];
    if (this.win.missing === 0 || this.unheard) return found;
    const delay = this.est.delay(now);
    let start = this.line.media + (this.win.end - this.line.newest) * FRAME_MS;
    for (let sequence = this.win.end - 1; sequence >= this.win.next; sequence--) {
      start -= FRAME_MS; // a hole is given up at the latest moment that fits
      const e = this.win.at(sequence);
      if (e.here) {
        start = e.media;
        continue;
      }
      const by = this.due(start, delay) + (this.head.talking ? this.head.lag : 0);
      if (ask(e, now, by, roundTrip, this.config.reorder)) found.push({ sequence, by });
    }
    return found.reverse();
  }

  /**
   * Takes back that a sequence was asked for: the next holes gives it out again
   * if there still is time, for instance at another relay.
   */
  fetchFailed(sequence: number): void {
    if (sequence >= this.win.next && sequence < this.win.end) this.win.at(sequence).asking = false;
  }

  /**
   * Says that the sequences from `from` on, up to `until`, will not come and are not
   * missing: whoever sends them has left them out on purpose. Where until is not
   * known it is Infinity, and the first frame behind from that does come ends the
   * gap. One gap at a time is known, the one said last; what has come is played.
   */
  leaveOut(from: number, until: number): void {
    this.win.gap = from;
    this.win.gapEnd = Math.max(from, until);
  }

  /**
   * Is pop while nobody can listen (a locked player, a tab that slept): all that
   * was due before now goes by uncounted, and nothing is worth a FETCH until the
   * next pop. For a second after it, what comes late is not played late.
   */
  skip(now: number): void {
    const delay = this.est.delay(now);
    while (!this.win.empty && this.due(this.startOf(this.win.next), delay) < now) this.win.skip();
    this.head.leave();
    this.unheard = true;
    this.live = now + WAKING;
  }

  /**
   * What the track has for the 20 ms that come next, at the moment at. Call it
   * 20 ms later for those after them, or `wait` later after a silence.
   *
   * A frame that continues running speech is given out whatever its due time: the
   * caller's resampler keeps the two together, by the slot's lag. The due time
   * decides when speech begins after silence, and when a missing frame is given
   * up.
   */
  pop(at: number): Slot {
    this.unheard = false;
    const delay = this.est.delay(at);
    this.dropHeldUp();
    this.dropStale(at, delay);
    while (!this.win.empty) {
      const e = this.win.at(this.win.next);
      if (e.left) {
        this.win.pass(false);
        continue;
      }
      const slot = e.here ? this.popFrame(e, at, delay) : this.popHole(at, delay);
      if (slot) return slot;
    }
    if (this.over) {
      this.head.talking = false;
      return { kind: "ended" };
    }
    this.head.waited++;
    return this.starve(FRAME_MS);
  }

  /**
   * When a frame is to be given out: the moment at which it can have arrived at
   * the earliest, plus the delay.
   */
  private due(media: number, delay: number): number {
    return this.est.base + media + delay;
  }

  /** Plays the next frame, or waits for it. */
  private popFrame(e: Entry, at: number, delay: number): Slot {
    const { head } = this;
    const due = this.due(e.media, delay);
    const follows = head.begun && e.media - head.position < PAUSE;
    if (!(head.talking && follows) && this.early(due, at)) {
      if (follows) head.waited++; // the delay grew
      return this.rest(due - at);
    }
    if (follows) this.win.stats.stalled += head.waited;
    const lag = at - due;
    head.play(e.media, lag);
    const { timestamp, packet, repaired } = e;
    const slot: Slot = { kind: "play", sequence: this.win.next, timestamp, packet, repaired, lag };
    this.win.pass(true);
    return slot;
  }

  /** Whether there is to be silence until due. */
  private early(due: number, at: number): boolean {
    return due - at > (this.head.talking ? SOON : 0);
  }

  /**
   * Decides about a missing frame: wait as long as it may belong to a time yet to
   * come, then give it up. Null when its time is over altogether and nothing is
   * known of it, so that nothing needs to sound.
   */
  private popHole(at: number, delay: number): Slot | null {
    const { head } = this;
    const start = this.startOf(this.win.next);
    const due = this.due(start, delay);
    const follows = head.talking && start - head.position < PAUSE;
    if (!follows && this.early(due, at)) return this.starve(due - at);
    const inTime = head.talking || at - due < FRAME_MS;
    const slot = this.giveUp(start, at - due);
    if (inTime) return slot;
    if (head.guessed > 0) { // in its place, while nothing newer was here
      head.guessed--;
      this.win.stats.concealed++;
    }
    return null;
  }

  /**
   * The media time at which a sequence that waits begins; of a missing one, at
   * the latest: just so early that those up to the next one here fit behind it.
   */
  private startOf(seq: number): number {
    const here = this.win.firstHere(seq);
    if (here < 0) return this.line.media + (seq - this.line.newest) * FRAME_MS; // known from the track's end
    return this.win.at(here).media - (here - seq) * FRAME_MS;
  }

  /** Loses the next frame, whose place is at start. */
  private giveUp(start: number, lag: number): Slot {
    const { head } = this;
    const sequence = this.win.next;
    head.run++;
    if (head.talking && head.run <= this.config.concealed) this.win.stats.concealed++;
    head.move(start, lag);
    this.win.pass(false);
    return { kind: "lost", sequence, run: head.run, lag };
  }

  /**
   * Fills the time until it is known how it goes on: with the decoder's guess for
   * a while, then with silence of at most wait.
   */
  private starve(wait: number): Slot {
    const { head } = this;
    if (!head.talking || head.run >= this.config.concealed) return this.rest(wait);
    head.run++;
    head.guessed++;
    return { kind: "starved", run: head.run };
  }

  /** Silence. What comes after it begins when it is due. */
  private rest(wait: number): Slot {
    this.head.rest();
    return { kind: "silence", wait };
  }

  /** Skips frames that came too late because the listener slept. */
  private dropHeldUp(): void {
    while (!this.win.empty && this.win.at(this.win.next).heldUp) {
      this.win.skip();
      this.head.leave();
    }
  }

  /**
   * Gives up frames so old that playing them would keep the listener further
   * behind than maxDelay: all up to the first one no older than the delay.
   */
  private dropStale(at: number, delay: number): void {
    if (this.win.empty || !this.stale(this.win.next, at, this.config.maxDelay + FRAME_MS)) return;
    while (!this.win.empty && (!this.win.at(this.win.next).here || this.stale(this.win.next, at, delay))) {
      if (this.win.at(this.win.next).here) this.win.stats.late++;
      this.win.pass(false);
    }
    this.head.leave();
  }

  /** Whether the frame is here and older than age (ms) at the moment at. */
  private stale(seq: number, at: number, age: number): boolean {
    const e = this.win.at(seq);
    return e.here && at - this.est.base - e.media > age;
  }
}
