import type { Buffer, Stats, Voice } from "../audio";
import { noStats } from "../audio/stats";
import type { Catalog, SourcePacket } from "../protocol";
import type { Tap } from "./tap";

/** Bounds what is remembered of bundles with holes: ten seconds. */
const MAX_EMPTY = 512;

/** A fetch under way. */
export interface Pending {
  /** The sequences that it is to bring. */
  readonly wanted: Set<number>;
  /** When it was sent, in ms. */
  readonly asked: number;
}

/**
 * One speaker as a listener follows it, whichever sessions have it announced. Its
 * name and the identity of its first publisher tell it from others.
 */
export class Track {
  /** Undefined until it is known what it carries, and again when it has ended. */
  voice: Voice | undefined;
  catalog: Catalog | undefined;
  /** Settles once there is a catalog. */
  readonly known: Promise<void>;
  private know!: () => void;
  /** The sessions that have it announced. */
  readonly taps = new Set<Tap>();

  /** Highest sequence received. */
  newest: number | undefined;
  /** No tap since then; undefined while there is one. */
  leftAt: number | undefined;
  /** The last tap went because the broadcast was over, not because the session was. */
  over = false;

  // Of its repair.
  readonly fetching = new Map<string, Pending>();
  /** Known to be missing in the bundle, too. */
  readonly empty = new Set<number>();
  /** When something was missing last. */
  holedAt: number | undefined;
  /** Highest sequence fetched because it was overdue. */
  pursued = 0;

  /** Of buffers that were let go. */
  past: Stats = noStats();
  /** Groups that held no Opus. */
  malformed = 0;

  constructor(
    readonly speaker: string,
    /** The first hop id of its announcement; 0 if unknown. */
    readonly origin: string,
    /** What the machine calls it. */
    readonly number: number,
  ) {
    this.known = new Promise((resolve) => (this.know = resolve));
  }

  get buffer(): Buffer | undefined {
    return this.voice?.buffer;
  }

  /** Notes the catalog, whichever session brought it. */
  learn(catalog: Catalog): void {
    this.catalog = catalog;
    this.know();
  }

  /** The first group to ask a new session for, in groups of `size` packets; undefined if nothing was heard yet. */
  resume(size: number): number | undefined {
    return this.newest === undefined ? undefined : Math.floor((this.newest + 1) / size);
  }

  /** Notes which sequences a group brought, and which of a bundle it did not. */
  saw(frames: readonly SourcePacket[], group: number, size: number): void {
    for (const { sequence } of frames) {
      this.newest = Math.max(this.newest ?? 0, sequence);
      this.empty.delete(sequence);
    }
    if (size === 1 || frames.length === size) return;
    for (let sequence = group * size; sequence < (group + 1) * size; sequence++) {
      if (!frames.some((f) => f.sequence === sequence)) this.miss(sequence);
    }
  }

  /** Notes a sequence that is missing in its bundle, too. */
  miss(sequence: number): void {
    if (this.empty.size >= MAX_EMPTY) this.empty.clear();
    this.empty.add(sequence);
  }

  /** Whether some fetch is to bring a sequence. */
  isAsked(sequence: number): boolean {
    for (const p of this.fetching.values()) if (p.wanted.has(sequence)) return true;
    return false;
  }

  /** What was counted over all buffers this track has had. */
  get stats(): Stats {
    return this.voice ? addStats(this.past, this.voice.buffer.stats) : this.past;
  }
}

/** The counters of two buffers of one track, the later one second. */
export function addStats(a: Stats, b: Stats): Stats {
  return {
    first: a.expected > 0 ? a.first : b.first,
    last: b.expected > 0 ? b.last : a.last,
    expected: a.expected + b.expected,
    played: a.played + b.played,
    lost: a.lost + b.lost,
    concealed: a.concealed + b.concealed,
    repaired: a.repaired + b.repaired,
    duplicate: a.duplicate + b.duplicate,
    late: a.late + b.late,
    refused: a.refused + b.refused,
    stalled: a.stalled + b.stalled,
    skipped: a.skipped + b.skipped,
  };
}
