import {
  audioTimescale,
  type Catalog,
  encodeCatalog,
  encodeLegacy,
  type Fetch,
  type Frame,
  LEVEL_TRACK,
  Limit,
  type Path,
  ResetCode,
  Track,
  type TrackInfo,
  type TrackRequest,
  trimPrefix,
  type Wide,
} from "../protocol";
import { abortable, sleep } from "./abort";
import { Refusal } from "./errors";
import type { GroupWriter } from "./group";
import { Reports, reportInfo } from "./reports";
import { aborted, type AnnounceWriter, type Publisher, type Subscriber } from "./publisher";

/** How many packets are held: the five seconds that FETCH and a resumed subscription can reach back. */
export const heldPackets = 256;

/** How many bytes a packet may have, what is left of a datagram: relays refuse longer ones. */
export const maxPacket = Limit.datagram - 32;

/** How many packets a subscription may lag behind the newest before it loses the oldest: a second. */
const maxLag = 50;

/** From how many packets behind the newest a packet is not live any more and goes by stream, lest it get lost again. */
const resumeLag = 16;

/** How far beyond the newest packet a FETCH may wait for its group. */
const fetchAhead = 50;

/** How long a subscription outlives its last group: its FIN must not overtake the groups. */
const endLingerMs = 200;

const keptMs = 5000; // how long groups stay to be had, in the words of TRACK_INFO
const catalogInfo: TrackInfo = { priority: 0, ordered: false, maxLatencyMs: keptMs, timescale: 1000 };
const audioInfo: TrackInfo = { ...catalogInfo, timescale: audioTimescale };

/**
 * What one speaker publishes, to however many sessions: its last packets and its
 * catalog. Whoever speaks never waits for whoever serves: each subscription takes
 * the packets at its own pace, and one that falls behind loses the oldest.
 */
export class Broadcast {
  private readonly ring: Frame[] = [];
  private readonly catalog: Frame;
  private readonly levels = new Reports();
  private sequence = 0;
  private over = false;
  private serving = 0;
  private wake!: () => void;
  private change!: Promise<void>;
  /** Packets that a subscription did not get because it was behind, or the peer did not want. */
  dropped = 0;

  /** `hopId`, not 0, is the speaker's for as long as its page lives, on every relay. */
  constructor(
    readonly hopId: Wide,
    catalog: Catalog,
  ) {
    this.catalog = { timestamp: 0, payload: encodeCatalog(catalog) };
    this.renew();
  }

  /** The sequence of the next packet. */
  get next(): number {
    return this.sequence;
  }

  /** The lowest sequence that is still held, `next` if none is. */
  get oldest(): number {
    return Math.max(0, this.sequence - heldPackets);
  }

  get ended(): boolean {
    return this.over;
  }

  /** Settles at the next packet, or at the end. */
  get changed(): Promise<void> {
    return this.change;
  }

  /** Publishes a packet of 20 ms, 1 to {@link maxPacket} bytes, and returns its sequence. */
  add(timestampUs: number, opus: Uint8Array): number {
    if (this.over) throw new Error("the broadcast has ended");
    if (opus.length === 0 || opus.length > maxPacket) {
      throw new RangeError(`an Opus packet of ${opus.length} bytes, above ${maxPacket} or empty: lower the bitrate`);
    }
    this.ring[this.sequence % heldPackets] = {
      timestamp: timestampUs,
      payload: encodeLegacy({ timestampUs, opus }),
    };
    this.tell();
    return this.sequence++;
  }

  /** Says how loud the speaker is, as encodeLevel has it, at a time in ms since 1970. */
  report(timestampMs: number, level: Uint8Array): void {
    if (this.over) return;
    this.levels.add(timestampMs, level);
    this.tell();
  }

  /** Says that no packet comes any more. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.tell();
  }

  /** The broadcast as a session sees it under the path that it has there. */
  at(path: Path): Publisher {
    return {
      announce: (writer, signal) => this.announce(path, writer, signal),
      track: (request) => this.track(path, request),
      subscribe: (subscriber, signal) => this.subscribe(path, subscriber, signal),
      fetch: (request, writer, signal) => this.fetch(path, request, writer, signal),
    };
  }

  private tell(): void {
    const wake = this.wake;
    this.renew();
    wake();
  }

  private renew(): void {
    this.change = new Promise((resolve) => (this.wake = resolve));
  }

  private held(sequence: number): Frame | undefined {
    return sequence >= this.oldest && sequence < this.sequence ? this.ring[sequence % heldPackets] : undefined;
  }

  /** Announces the broadcast while it lives. */
  private async announce(path: Path, writer: AnnounceWriter, signal: AbortSignal): Promise<void> {
    const suffix = trimPrefix(path, writer.request.prefix);
    if (suffix === undefined || writer.request.excludeHop === this.hopId || this.over) {
      await writer.initial([], this.hopId);
      return aborted(signal);
    }
    // No hops: this end is the source, and its id stands in ANNOUNCE_OK.
    await writer.initial([{ active: true, suffix, hops: [] }], this.hopId);
    while (!this.over) await abortable(this.change, signal);
    // A relay drops what comes behind the end, which must not overtake the last packets.
    while (this.serving > 0) await abortable(this.change, signal);
    await writer.announce({ active: false, suffix, hops: [] });
    await aborted(signal);
  }

  private track(path: Path, request: TrackRequest): TrackInfo {
    this.check(path, request);
    if (request.track === LEVEL_TRACK) return reportInfo;
    return request.track === Track.Catalog ? catalogInfo : audioInfo;
  }

  /** Refuses what is not published here. The bundles that the catalog offers are made by relays. */
  private check(path: Path, request: TrackRequest): void {
    if (request.broadcast !== path) throw new Refusal(ResetCode.NotFound, `broadcast "${request.broadcast}" is not here`);
    if (![Track.Catalog, Track.Audio, LEVEL_TRACK].includes(request.track)) {
      throw new Refusal(ResetCode.NotFound, `track "${request.track}" is not here`);
    }
  }

  /** Writes one group, if need be once it exists. */
  private async fetch(path: Path, request: Fetch, writer: GroupWriter, signal: AbortSignal): Promise<void> {
    this.check(path, request);
    const { group } = request;
    if (request.track === Track.Catalog) {
      if (group !== 0) throw new Refusal(ResetCode.NotFound, "the catalog has one group");
      return writer.write(this.catalog);
    }
    if (request.track === LEVEL_TRACK) throw new Refusal(ResetCode.NotFound, "what is reported is not kept");
    while (group >= this.sequence) {
      if (this.over || group > this.sequence + fetchAhead) {
        throw new Refusal(ResetCode.NotFound, `group ${group} does not exist`);
      }
      await abortable(this.change, signal);
    }
    const frame = this.held(group);
    if (frame === undefined) throw new Refusal(ResetCode.TooOld, `group ${group} is older than ${this.oldest}`);
    await writer.write(frame);
  }

  private async subscribe(path: Path, subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    this.check(path, subscriber.request);
    this.serving++;
    try {
      if (subscriber.request.track === Track.Catalog) await this.serveCatalog(subscriber, signal);
      else if (subscriber.request.track === LEVEL_TRACK) await this.serveLevels(subscriber, signal);
      else await this.serveAudio(subscriber, signal);
    } finally {
      this.serving--;
      this.tell();
    }
  }

  private async serveCatalog(subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    if ((subscriber.delivery.start ?? 0) === 0) {
      await subscriber.start(0);
      await abortable(subscriber.writeGroup(0, this.catalog), signal);
    }
    while (!this.over) await abortable(this.change, signal);
    await finish(subscriber, 1, signal);
  }

  private async serveLevels(subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    const { datagrams = false } = await abortable(subscriber.peerSetup, signal);
    for (let sent = 0; ; ) {
      const { change } = this;
      sent = await this.levels.send(subscriber, datagrams, sent, signal);
      if (this.over) return finish(subscriber, sent, signal);
      await abortable(change, signal);
    }
  }

  private async serveAudio(subscriber: Subscriber, signal: AbortSignal): Promise<void> {
    // Whether the peer reads datagrams stands in its SETUP.
    const setup = await abortable(subscriber.peerSetup, signal);
    const feeder = new Feeder(this, subscriber, setup.datagrams ?? false);
    subscriber.onUpdate = () => this.tell();
    for (;;) {
      const change = this.change;
      await feeder.send(signal);
      if (this.over) break;
      await abortable(change, signal);
    }
    await finish(subscriber, this.sequence, signal);
  }

  /** @internal */
  frameAt(sequence: number): Frame | undefined {
    return this.held(sequence);
  }
}

/** Hands one subscription the packets of a broadcast. */
class Feeder {
  private next: number; // sequence to send next
  private readonly liveFrom: number; // what was there before is sent however old it is

  constructor(
    private readonly source: Broadcast,
    private readonly subscriber: Subscriber,
    private readonly datagrams: boolean,
  ) {
    const { start } = subscriber.delivery;
    this.next = start ?? Math.max(0, source.next - 1); // else the newest there is
    this.liveFrom = source.next;
  }

  /** Brings the subscription up to date. */
  async send(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { start, end } = this.subscriber.delivery;
      const live = this.next >= this.liveFrom;
      this.skipTo(live ? Math.max(this.source.next - maxLag, this.source.oldest) : this.source.oldest, true);
      this.skipTo(start ?? 0, false);
      if (this.next >= this.source.next || (end !== undefined && this.next > end)) return;
      const frame = this.source.frameAt(this.next);
      if (frame !== undefined) await abortable(this.sendFrame(this.next, frame), signal);
      this.next++;
    }
  }

  private skipTo(sequence: number, lost: boolean): void {
    if (this.next >= sequence) return;
    if (lost) this.source.dropped += sequence - this.next;
    this.next = sequence;
  }

  /** Sends a packet as a datagram where the peer reads them and it fits, and as a group stream otherwise. */
  private async sendFrame(sequence: number, frame: Frame): Promise<void> {
    await this.subscriber.start(sequence);
    const behind = this.source.next - sequence;
    if (this.datagrams && behind <= resumeLag && this.subscriber.sendDatagram(sequence, frame)) return;
    try {
      await this.subscriber.writeGroup(sequence, frame);
    } catch {
      this.source.dropped++; // the peer did not want this one, or the session has ended
    }
  }
}

/** Ends a subscription; `next` is the first sequence that will not come. */
async function finish(subscriber: Subscriber, next: number, signal: AbortSignal): Promise<void> {
  await subscriber.end(next);
  await sleep(endLingerMs, signal);
}
