import {
  Announce,
  AnnounceOk,
  type AnnounceRequest,
  type Delivery,
  encodeDatagram,
  type Fetch,
  type Frame,
  Limit,
  ResetCode,
  type Setup,
  type Subscribe,
  SubscribeResponse,
  type TrackInfo,
  type TrackRequest,
  type Wide,
  Writer,
} from "../protocol";
import type { Connection, SendStream } from "./connection";
import { Refusal } from "./errors";
import { groupOpening, GroupWriter } from "./group";

/**
 * Answers what the peer asks for. Each call gets a signal that is aborted when the
 * peer withdraws the request or the session ends, and refuses by throwing an error
 * whose code the peer sees: a {@link Refusal}.
 */
export interface Publisher {
  /** Writes the announcements below `writer.request.prefix` and their changes until the signal ends. */
  announce(writer: AnnounceWriter, signal: AbortSignal): Promise<void>;
  /** Answers TRACK, within a few seconds. */
  track(request: TrackRequest, signal: AbortSignal): TrackInfo | Promise<TrackInfo>;
  /** Serves a subscription until the signal ends. Returning ends it with FIN, which must not overtake its groups. */
  subscribe(subscriber: Subscriber, signal: AbortSignal): Promise<void>;
  /** Writes the frames of one group. */
  fetch(request: Fetch, writer: GroupWriter, signal: AbortSignal): Promise<void>;
}

/** Settles once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

const refused = (): never => {
  throw new Refusal(ResetCode.RoleViolated, "this end publishes nothing");
};

/** The Publisher of a session that only subscribes. */
export const publishNothing: Publisher = {
  async announce(writer, signal) {
    await writer.initial([]);
    await aborted(signal);
  },
  track: refused,
  subscribe: async () => refused(),
  fetch: async () => refused(),
};

/** Answers an ANNOUNCE_REQUEST: `initial` once, then `announce` as things change. */
export class AnnounceWriter {
  constructor(
    /** What the peer asked for. */
    readonly request: AnnounceRequest,
    private readonly stream: SendStream,
    private readonly hopId: Wide,
  ) {}

  /** Sends ANNOUNCE_OK and the broadcasts that are there already. Without `hopId` it is the one of SETUP. */
  async initial(active: readonly Announce[], hopId: Wide = this.hopId): Promise<void> {
    const w = new Writer();
    AnnounceOk.append(w, { hopId, active: active.length });
    for (const a of active) Announce.append(w, a);
    await this.stream.write(w.bytes());
  }

  /** Sends one change. */
  announce(a: Announce): Promise<void> {
    return this.stream.write(Announce.encode(a));
  }
}

/** A subscription of the peer that this end serves. */
export class Subscriber {
  private wanted: Delivery;
  private started = false;
  /** Called after each change of `delivery`. */
  onUpdate: (() => void) | undefined;

  constructor(
    /** The opening SUBSCRIBE. */
    readonly request: Subscribe,
    private readonly stream: SendStream,
    private readonly connection: Connection,
    /** The peer's SETUP, once it has come. */
    readonly peerSetup: Promise<Setup>,
  ) {
    this.wanted = request;
  }

  /** What the peer wants now. */
  get delivery(): Delivery {
    return this.wanted;
  }

  /** Takes a SUBSCRIBE_UPDATE. A start only ever raises the floor. */
  update(d: Delivery): void {
    const floor = this.wanted.start;
    const start = d.start === undefined || (floor !== undefined && d.start < floor) ? floor : d.start;
    this.wanted = { ...d, start };
    this.onUpdate?.();
  }

  /** Tells the peer the first group it will get, before that group. Calls after the first do nothing. */
  async start(group: number): Promise<void> {
    if (this.started) return;
    this.started = true;
    await this.stream.write(SubscribeResponse.encode({ kind: "start", group }));
  }

  /** Tells the peer the first sequence it will not get: the last and one. */
  end(group: number): Promise<void> {
    return this.stream.write(SubscribeResponse.encode({ kind: "end", group }));
  }

  /**
   * Sends a group of one frame as a datagram; false where it does not fit or the
   * transport has none. Whether the peer reads them stands in its SETUP.
   */
  sendDatagram(sequence: number, frame: Frame): boolean {
    const datagrams = this.connection.datagrams;
    if (datagrams === undefined) return false;
    const b = encodeDatagram({ subscribeId: this.request.id, sequence, ...frame });
    if (b.length > Math.min(Limit.datagram, datagrams.maxSize)) return false;
    datagrams.write(b);
    return true;
  }

  /** Starts a group stream, once the peer's limit allows it. */
  async openGroup(sequence: number): Promise<GroupWriter> {
    const stream = await this.connection.openUni();
    await stream.write(groupOpening({ subscribeId: this.request.id, sequence }));
    return new GroupWriter(stream);
  }

  /**
   * Sends a whole group of one frame as a stream, in one write. It waits for the
   * peer's stream limit and for the transport to take the bytes, not for the FIN.
   */
  async writeGroup(sequence: number, frame: Frame): Promise<void> {
    const stream = await this.connection.openUni();
    await stream.write(groupOpening({ subscribeId: this.request.id, sequence }, frame));
    void stream.close().catch(() => {}); // a peer that stopped us did not want this one
  }
}
