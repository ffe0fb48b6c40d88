import { MAX_PACKET } from "./config";
import { noStats, type Outcome, type Stats } from "./stats";

/** One sequence between the next to be played and the newest known. Times in ms. */
export interface Entry {
  packet: Uint8Array;
  /** The speaker's clock, µs. */
  timestamp: number;
  /** When its first sample was spoken (Timeline). */
  media: number;
  /** False: a hole. */
  here: boolean;
  repaired: boolean;
  /** Came after its time, while the listener had just slept. */
  heldUp: boolean;
  /** Left out on purpose: it never was to come. */
  left: boolean;

  // Of a hole.
  /** When something newer came. */
  noticed: number;
  /** When it was last given out to be fetched. */
  asked: number;
  /** How often. */
  asks: number;
  /** An answer is awaited. */
  asking: boolean;
}

const NOTHING = new Uint8Array(0);

function hole(noticed: number): Entry {
  return {
    packet: NOTHING, timestamp: 0, media: 0, here: false, repaired: false, heldUp: false, left: false,
    noticed, asked: 0, asks: 0, asking: false,
  };
}

/**
 * How long (ms) nothing must have come before a speaker may have restarted:
 * nobody redials faster.
 */
const QUIET = 500;

/** Frames; a stray frame further from the last stray one does not go on from it. */
const NEAR = 8;

/**
 * Holds the frames of one track by sequence: first copy wins, holes are known,
 * and whatever comes in, no more than its size is kept.
 *
 * It covers the sequences [next-size, next+size): those below next have been
 * played or given up and are only remembered as one flag each, to tell a
 * duplicate from a late frame.
 */
export class Window {
  /** [next, end) waits; end is one past the newest known. */
  next = 0;
  end = 0;
  /** How many of those are holes. */
  missing = 0;
  /** How often the window moved to another run of sequences. */
  restarts = 0;
  readonly stats: Stats = noStats();
  /** What will be left out, [gap, gapEnd); nothing if they are equal. */
  gap = 0;
  gapEnd = 0;

  private readonly size: number;
  private readonly entries: Entry[]; // sequence s lives at s modulo size
  private readonly seen: Uint8Array; // a flag for each of the 2*size sequences covered: a copy came
  private open = false; // a first frame came
  private passed = false; // a sequence was passed since the last restart
  private counting = false; // stats.first is of this run
  private newest = 0; // the highest sequence accepted
  private stamp = 0; // its timestamp, µs
  private latest = 0; // when the last frame was accepted
  private stray = -1; // the last sequence refused for not belonging here

  /** size is a number of frames. */
  constructor(size: number) {
    this.size = size;
    this.entries = Array.from({ length: size }, () => hole(0));
    this.seen = new Uint8Array(2 * size);
  }

  get empty(): boolean {
    return this.next === this.end;
  }

  /** The entry of a sequence in [next, end). */
  at(seq: number): Entry {
    return this.entries[seq % this.size]!;
  }

  /** Takes a frame that came at now. There is an entry only if it was accepted. */
  admit(seq: number, timestamp: number, packet: Uint8Array, now: number): [Outcome, Entry | null] {
    if (!valid(seq) || !valid(timestamp) || packet.length === 0 || packet.length > MAX_PACKET) return this.refuse();
    if (!this.open) {
      this.open = true;
      this.next = this.end = this.newest = seq;
      this.latest = now;
    }
    if (seq >= this.gap && this.gap < this.gapEnd) this.leaveOut(Math.min(seq, this.gapEnd), now);
    if (!this.belongs(seq, timestamp, now) && !this.follow(seq, now)) return this.refuse();
    if (seq < this.next && !this.passed && this.end - seq <= this.size) this.lower(seq, now);
    if (this.wasSeen(seq)) {
      this.stats.duplicate++;
      return ["duplicate", null];
    }
    this.seen[seq % this.seen.length] = 1;
    if (seq < this.next) {
      this.stats.late++;
      return ["late", null];
    }
    return ["accepted", this.keep(seq, timestamp, packet, now)];
  }

  private refuse(): [Outcome, null] {
    this.stats.refused++;
    return ["refused", null];
  }

  private keep(seq: number, timestamp: number, packet: Uint8Array, now: number): Entry {
    this.extend(seq + 1, now);
    this.missing--;
    this.latest = now;
    if (seq >= this.newest) {
      this.newest = seq;
      this.stamp = timestamp;
    }
    const e = this.at(seq);
    e.here = true;
    e.timestamp = timestamp;
    e.packet = packet.slice();
    return e;
  }

  private wasSeen(seq: number): boolean {
    return this.seen[seq % this.seen.length] === 1;
  }

  /**
   * Whether a frame is of the run that the window follows. One that comes after
   * a pause with an old sequence and a new timestamp is not: its speaker counts
   * from 0 again.
   */
  private belongs(seq: number, timestamp: number, now: number): boolean {
    const again = seq <= this.newest && timestamp > this.stamp && now - this.latest >= QUIET;
    const covered = seq + this.size >= this.next && seq < this.next + this.size;
    return covered && !again;
  }

  /**
   * Decides about a frame that does not belong: from a speaker that restarted
   * at 0, or is heard again after a long outage; an old copy, or garbage. The
   * window moves there once nothing that belongs has come for a while and two
   * such frames go on from each other. It then begins at the first of the two,
   * which was refused and can be fetched.
   */
  private follow(seq: number, now: number): boolean {
    const goesOn = this.stray >= 0 && seq > this.stray && seq - this.stray <= NEAR;
    if (!goesOn || now - this.latest < QUIET) {
      this.stray = seq;
      return false;
    }
    this.restart(this.stray);
    this.extend(seq, now);
    return true;
  }

  /**
   * Gives up all that waits and begins again at first. Ahead, the sequences in
   * between were lost; behind, a new count begins.
   */
  private restart(first: number): void {
    while (!this.empty) {
      if (this.at(this.next).here) this.stats.late++;
      this.pass(false);
    }
    if (first > this.next) {
      const skipped = first - this.next;
      this.count(this.next);
      this.stats.lost += skipped;
      this.stats.expected += skipped;
      this.stats.last = first - 1;
      this.passed = true;
    } else {
      this.passed = this.counting = false;
    }
    this.seen.fill(0);
    this.next = this.end = this.newest = first;
    this.stray = -1;
    this.restarts++;
  }

  /** Lets the track begin earlier than at the first frame that came, as long as nothing was played. */
  private lower(seq: number, now: number): void {
    for (let s = seq; s < this.next; s++) {
      this.entries[s % this.size] = hole(now);
      this.missing++;
    }
    this.next = seq;
  }

  /** Whether a sequence is the one before all there are, and nothing was played yet. */
  takesBefore(seq: number): boolean {
    return this.open && !this.passed && seq === this.next - 1 && this.end - seq <= this.size;
  }

  /** Makes known that all sequences below end exist. It never goes beyond the window. */
  extend(end: number, now: number): void {
    for (const last = Math.min(end, this.next + this.size); this.end < last; this.end++) {
      this.entries[this.end % this.size] = hole(now);
      this.missing++;
    }
  }

  /** Passes over the gap up to first, which comes next. */
  private leaveOut(first: number, now: number): void {
    const gap = Math.max(this.gap, this.next);
    this.gap = this.gapEnd = 0;
    if (first <= gap) return;
    while (first >= this.next + this.size && this.next < gap && !this.empty) { // there is no room for both sides
      if (this.at(this.next).here) this.stats.late++;
      this.pass(false);
    }
    if (first >= this.next + this.size) return this.jump(first);
    this.extend(first, now);
    for (let seq = gap; seq < first; seq++) {
      const e = this.at(seq);
      if (!e.here) e.left = true;
    }
    while (!this.empty && this.at(this.next).left) this.leave();
  }

  /** Moves an empty window, or one with nothing but holes, on to first. */
  private jump(first: number): void {
    while (!this.empty) {
      if (this.at(this.next).here) this.stats.late++;
      this.leave();
    }
    if (first - this.next > this.seen.length) {
      this.seen.fill(0);
      this.next = first;
    }
    for (; this.next < first; this.next++) this.seen[(this.next + this.size) % this.seen.length] = 0;
    this.end = first;
  }

  /** Whether a first frame came. */
  get begun(): boolean {
    return this.open;
  }

  /** Moves on from the next sequence, which was played or is given up. */
  pass(played: boolean): void {
    const { stats } = this;
    if (this.at(this.next).left) return this.leave();
    this.count(this.next);
    stats.last = this.next;
    stats.expected++;
    if (played) {
      stats.played++;
      if (this.at(this.next).repaired) stats.repaired++;
    } else {
      stats.lost++;
    }
    this.leave();
  }

  /** Moves on from the next sequence, whose time went by while nobody could listen. */
  skip(): void {
    if (this.at(this.next).here) this.stats.skipped++;
    this.leave();
  }

  private count(first: number): void {
    if (!this.counting) this.stats.first = first;
    this.counting = true;
  }

  private leave(): void {
    if (!this.at(this.next).here) this.missing--;
    this.entries[this.next % this.size] = hole(0);
    this.seen[(this.next + this.size) % this.seen.length] = 0; // enters the window, where next-size leaves
    this.passed = true;
    this.next++;
  }

  /** The lowest sequence from seq on that is here, or -1. */
  firstHere(seq: number): number {
    for (; seq < this.end; seq++) if (this.at(seq).here) return seq;
    return -1;
  }
}

/** Whether n is a number that sequences and timestamps count in: whole, and exact. */
function valid(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}
