import { Arrivals, minMargin } from "./arrivals";
import { FRAME } from "./event";
import type { Track } from "./event";
import { maxLinks } from "./link";
import { answerFor, longPacket, tickAfter, usualDelay } from "./options";

/** A track as one session has it. */
export class Presence {
  announced = false;
  subscribed = false;
  /** A group came since it was subscribed to. */
  delivered = false;
  /** The first frame after the newest that came. */
  next = 0;
  /** When the first group came, and the newest. */
  first = 0;
  at = 0;

  /** Forgets all but the newest frame, which the caller may give. */
  reset(next = 0): void {
    this.announced = this.subscribed = this.delivered = false;
    this.next = next;
    this.first = this.at = 0;
  }
}

/**
 * Resting: nothing is expected: not begun, or a pause. Talking: the next packet
 * is expected. Alarmed: it has not come.
 */
export type VoiceState = "resting" | "talking" | "alarmed";

/** A track, one speaker's voice, as the primary brings it and as others do. */
export class Voice {
  /** Whether any session has delivered a frame. */
  any = false;
  /** The first frame that no session has delivered. */
  next = 0;
  /** By the slot of the session. */
  private readonly presences = Array.from({ length: maxLinks }, () => new Presence());

  state: VoiceState = "resting";
  /** When the primary's newest group came. */
  lastAt = 0;
  /** The media time it reaches up to. */
  end = 0;
  /** In a group. */
  frames = 1;
  overdueAt = 0;
  /** When the next group would come if none had ever been late. */
  expectedAt = 0;
  readonly arrivals = new Arrivals();

  // While alarmed.
  alarmedAt = 0;
  /** When the standby is to be tried. */
  trialAt = 0;
  /** It is, since triedAt. */
  trying = false;
  triedAt = 0;
  /** The primary has delivered again. */
  recovered = false;
  /** What it left out ends before this frame. */
  holeEnd = 0;

  // While resting: when the standby is tried again, and how often it was.
  retryAt = Infinity;
  retries = 0;

  constructor(readonly id: Track) {}

  /** The track as the session in a slot has it. */
  on({ slot }: { readonly slot: number }): Presence {
    return this.presences[slot]!;
  }

  /** How long a group is. */
  packet(): number {
    return this.frames * FRAME;
  }

  /**
   * How long after a packet that came so late the next one is overdue: as the path
   * is, but not so long that what the standby then brings could no longer be
   * played. A path that is late throughout shall not be taken for a silent one.
   */
  overdueIn(late: number): number {
    const packet = this.packet();
    const delay = packet > longPacket ? usualDelay + packet : usualDelay;
    const inTime = Math.max(delay + FRAME - packet - answerFor - late, minMargin);
    return packet + Math.min(this.arrivals.margin() - late, inTime);
  }

  /**
   * How long after its newest group the primary counts as silent on a track that
   * the standby goes on with: it has then missed two packets, and a tick.
   */
  silentAfter(): number {
    return Math.max(tickAfter, 2 * this.packet()) + this.arrivals.margin();
  }

  /** Whether any session has it. */
  announced(): boolean {
    return this.presences.some((p) => p.announced);
  }
}
