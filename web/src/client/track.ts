import type { Buffer, Stats, Voice } from "../audio";
import { noStats } from "../audio/stats";
import type { Catalog, SourcePacket } from "../protocol";
import type { Tap } from "./tap";
import type { TrackStats } from "./types";

/** How many speakers are followed at once. */
const MAX_SPEAKERS = 64;
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
  /** The first sequence of what is left out from now on, if something is. */
  withheld: number | undefined;

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

/** The speakers that a listener follows, and those it has followed. */
export class Tracks implements Iterable<Track> {
  private readonly all = new Set<Track>();
  private last = 0; // number given last

  [Symbol.iterator](): Iterator<Track> {
    return this.all.values();
  }

  /**
   * The track of a speaker, which begins if it is new; `end` lets one go whose
   * place it takes. Undefined where no more can be followed.
   */
  join(speaker: string, origin: string, end: (oldest: Track) => void): Track | undefined {
    for (const t of this.all) if (t.speaker === speaker && t.origin === origin) return t;
    if (this.all.size >= MAX_SPEAKERS) {
      const oldest = this.gone();
      if (!oldest) return undefined;
      end(oldest);
      this.all.delete(oldest);
    }
    const track = new Track(speaker, origin, ++this.last);
    this.all.add(track);
    return track;
  }

  /** The one that ended longest ago. */
  private gone(): Track | undefined {
    let oldest: Track | undefined;
    for (const t of this.all) {
      if (t.leftAt !== undefined && t.leftAt < (oldest?.leftAt ?? Infinity)) oldest = t;
    }
    return oldest;
  }

  /**
   * Who is live, by name. Whoever is gone because all sessions are stays for a
   * while: the room has not emptied.
   */
  live(): string[] {
    const names = new Set<string>();
    for (const t of this.all) {
      if (t.leftAt === undefined || (!t.over && t.voice !== undefined)) names.add(t.speaker);
    }
    return [...names].sort();
  }

  /** Frames lost so far. */
  get lost(): number {
    let lost = 0;
    for (const t of this.all) lost += t.stats.lost;
    return lost;
  }

  /** The counters of each speaker that was heard, by name. */
  stats(): TrackStats[] {
    const heard = [...this.all].filter((t) => t.voice !== undefined || t.past.expected > 0);
    heard.sort((a, b) => (a.speaker < b.speaker ? -1 : 1));
    return heard.map((t) => {
      const { first, last, expected, played, lost, concealed, repaired, duplicate, late } = t.stats;
      return { speaker: t.speaker, first, last, expected, played, lost, concealed, repaired, duplicate, late };
    });
  }
}
