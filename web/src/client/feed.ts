import type { Session as Id } from "../hop";
import type { Announce, ProtocolError, SourcePacket } from "../protocol";
import type { Session } from "../session/session";
import type { Line } from "./line";
import { MAX_NAME } from "./names";
import { type Intake, Tap } from "./tap";
import { Toggle } from "./toggle";
import type { Track } from "./track";

/** What a feed brings its groups to. */
export interface Gathering {
  /** The packet length to ask for, in ms. */
  readonly packetMs: number;
  now(): number;
  random(): number;
  /** The track of a speaker, which begins if it is new; undefined where no more can be followed. */
  join(speaker: string, origin: string): Track | undefined;
  /** A session has said who is live. */
  known(): void;
  /** A session has a track. */
  announced(feed: Feed, tap: Tap): void;
  /** A session has it no more: because the broadcast is over, or because the session is. */
  leave(feed: Feed, tap: Tap, over: boolean): void;
  /** It is known what a track carries. */
  begin(track: Track, intake: Intake): void;
  deliver(intake: Intake, group: number, frames: readonly SourcePacket[], fault: ProtocolError | undefined): void;
}

/**
 * What one session brings to a listener. It follows the room's announcements and
 * prepares every track; what it subscribes to is said by the machine, so a feed
 * can stand by at next to no cost.
 */
export class Feed {
  /** All there is is wanted: catalogs, too. */
  readonly inUse = new Toggle();
  /** By the machine's number of the track. */
  readonly voices = new Map<number, Tap>();
  private readonly taps = new Map<string, Tap>(); // by speaker

  constructor(
    private readonly listener: Gathering,
    readonly line: Line,
  ) {}

  get id(): Id {
    return this.line.id;
  }
  get session(): Session {
    return this.line.session!;
  }
  get signal(): AbortSignal {
    return this.line.signal;
  }
  get packetMs(): number {
    return this.listener.packetMs;
  }
  readonly now = (): number => this.listener.now();
  readonly random = (): number => this.listener.random();
  begin(track: Track, intake: Intake): void {
    this.listener.begin(track, intake);
  }
  deliver(intake: Intake, group: number, frames: readonly SourcePacket[], fault: ProtocolError | undefined): void {
    this.listener.deliver(intake, group, frames, fault);
  }

  /** Follows the room until the session ends or the relay stops announcing. */
  async run(): Promise<void> {
    try {
      const announcements = await this.session.announced("", { signal: this.signal });
      let initial = await announcements.initial();
      if (initial === 0) this.listener.known();
      for await (const message of announcements) {
        this.announced(message);
        if (--initial === 0) this.listener.known();
      }
    } catch {
      // the session is of no use any more
    } finally {
      for (const speaker of [...this.taps.keys()]) this.end(speaker, false);
    }
  }

  /** Begins or ends the tap of a speaker. */
  private announced(message: Announce): void {
    const speaker = message.suffix;
    if (speaker === "" || speaker.startsWith(".") || [...speaker].length > MAX_NAME) return;
    if (!message.active) return this.end(speaker, true);
    const origin = String(message.hops[0] ?? 0);
    const old = this.taps.get(speaker);
    if (old && old.track.origin === origin && origin !== "0") return; // the same voice over another route
    if (old) this.end(speaker, true);
    const track = this.listener.join(speaker, origin);
    if (!track) return;
    const tap = new Tap(this, track, speaker);
    this.taps.set(speaker, tap);
    this.voices.set(track.number, tap);
    track.taps.add(tap);
    this.listener.announced(this, tap);
    tap.start();
  }

  private end(speaker: string, over: boolean): void {
    const tap = this.taps.get(speaker);
    if (!tap) return;
    this.taps.delete(speaker);
    tap.close();
    tap.track.taps.delete(tap);
    this.voices.delete(tap.track.number);
    this.listener.leave(this, tap, over);
  }
}
