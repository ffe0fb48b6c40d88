import {
  AnnounceRequest,
  BidiStreamType,
  Fetch,
  type Frame,
  Goaway,
  opening,
  type Path,
  Probe,
  ProbeLevel,
  ProtocolError,
  Reader,
  ResetCode,
  Setup,
  Subscribe,
  TrackInfo,
  TrackRequest,
  UniStreamType,
  type Wide,
  Writer,
} from "../protocol";
import { abortable, reasonOf, Scope } from "./abort";
import { Announcements } from "./announcements";
import { type Connection, reset, type Stream } from "./connection";
import { asError, ClosedError, codeOf, TimeoutError } from "./errors";
import { GroupReader } from "./group";
import { type Publisher, publishNothing } from "./publisher";
import { Receiver } from "./receive";
import { serveRequest } from "./serve";
import { type Sink, type SubscribeRequest, Subscription } from "./subscription";

/** Tunes a session. Without options it only subscribes. */
export interface SessionOptions {
  /** What this end declares. Datagrams are declared where the connection has them, and GOAWAY, unless it says otherwise. */
  setup?: Setup;
  /** Answers the peer's requests. Absent: refuses them all. */
  publisher?: Publisher;
  /** The peer asks this end to leave, for `uri` unless that is empty. */
  onGoaway?: (uri: string) => void;
  /** Bounds the wait for the first bytes of a stream of the peer, and for answers. Default 10 s. */
  requestTimeoutMs?: number;
  /** How long a group stream may stay without its next frame. Default 30 s. */
  groupIdleMs?: number;
  /** Requests of the peer that may be open at once. Default 64. */
  maxRequests?: number;
  /** Group streams of the peer that may be open at once. Default 256. */
  maxGroups?: number;
  /** Bytes in the payload of a frame, and of a whole answer to FETCH. Default 1 MiB. */
  maxFrame?: number;
  /** Ends the session when aborted. */
  signal?: AbortSignal;
}

type Settled = Required<Omit<SessionOptions, "signal">>;

/**
 * One moq-lite session on one connection: it sends and reads SETUP, turns streams
 * and datagrams into groups, and hands what the peer asks to a {@link Publisher}.
 * It knows neither rooms nor audio. Everything it gave out settles when it ends.
 */
export class Session {
  /** Why the session ended, once it has. Never rejects. */
  readonly closed: Promise<ClosedError>;
  /** The peer's SETUP; rejects if the session ends before. */
  readonly peerSetup: Promise<Setup>;

  private readonly options: Settled;
  private readonly life = new AbortController();
  private readonly receiver: Receiver;
  private readonly requests = new Set<Stream>();
  private nextId = 0;
  private peerSaid: Setup | undefined;
  private gotPeer!: (setup: Setup) => void;
  private noPeer!: (cause: Error) => void;

  /** Starts the session: SETUP goes out at once. */
  constructor(
    readonly connection: Connection,
    options: SessionOptions = {},
  ) {
    this.options = {
      publisher: publishNothing,
      onGoaway: () => {},
      requestTimeoutMs: 10_000,
      groupIdleMs: 30_000,
      maxRequests: 64,
      maxGroups: 256,
      maxFrame: 1 << 20,
      ...options,
      setup: { datagrams: connection.datagrams !== undefined, goaway: true, ...options.setup },
    };
    this.peerSetup = new Promise((resolve, reject) => ([this.gotPeer, this.noPeer] = [resolve, reject]));
    this.peerSetup.catch(() => {}); // whoever waits for it hears of it
    this.closed = connection.closed.then((cause) => {
      this.end(cause);
      return cause;
    });
    if (options.signal) new Scope(options.signal, this.signal).onEnd(() => this.close());
    this.receiver = new Receiver(connection, this.options, (setup) => {
      this.peerSaid = setup;
      this.gotPeer(setup);
    });
    void this.sendSetup();
    void this.receiver.acceptUni();
    void this.receiver.readDatagrams();
    void this.acceptBidi();
  }

  /** Aborted with the {@link ClosedError} when the session ends. */
  get signal(): AbortSignal {
    return this.life.signal;
  }

  /** What the peer declared, undefined while its SETUP has not come. */
  get peer(): Setup | undefined {
    return this.peerSaid;
  }

  /** Ends the session. */
  close(code: ResetCode = ResetCode.Cancel, reason = ""): void {
    this.connection.close(code, reason);
  }

  /**
   * Asks for the peer's broadcasts below a prefix, without routes through the hop
   * id `exclude`. The signal withdraws the request.
   */
  async announced(prefix: Path, options: { exclude?: Wide; signal?: AbortSignal } = {}): Promise<Announcements> {
    const request = { prefix, excludeHop: options.exclude ?? 0 };
    const scope = new Scope(this.signal, options.signal);
    try {
      const stream = await this.open(opening(BidiStreamType.Announce, AnnounceRequest, request), scope.signal);
      const announcements = new Announcements(stream, () => scope.release());
      scope.onEnd(() => announcements.fail(reasonOf(scope.signal)));
      return announcements;
    } catch (e) {
      scope.release();
      throw e;
    }
  }

  /** Asks the peer about a track. */
  trackInfo(broadcast: Path, track: string, signal?: AbortSignal): Promise<TrackInfo> {
    const first = opening(BidiStreamType.Track, TrackRequest, { broadcast, track });
    return this.ask(first, "an answer to TRACK", signal, async (reader) => {
      const info = await TrackInfo.read(reader);
      if (info === undefined) throw new ProtocolError("track info", "no answer", "short");
      return info;
    });
  }

  /** The frames of one group, all of which come within the request timeout and `maxFrame` bytes. */
  fetch(request: Fetch, signal?: AbortSignal): Promise<Frame[]> {
    const first = opening(BidiStreamType.Fetch, Fetch, request);
    return this.ask(first, "an answer to FETCH", signal, async (reader, stream) => {
      const { requestTimeoutMs, maxFrame } = this.options;
      const group = new GroupReader(request.group, stream.receive, reader, requestTimeoutMs, maxFrame);
      const frames: Frame[] = [];
      // A frame without payload costs memory too.
      for (let left = maxFrame; ; ) {
        const frame = await group.next();
        if (frame === undefined) return frames;
        left -= 64 + frame.payload.length;
        if (left < -64) throw new ProtocolError("fetch", `too long: above ${maxFrame} bytes`, "malformed", ResetCode.Bounds);
        frames.push(frame);
      }
    });
  }

  /**
   * Asks for a track. Groups go to the sink from now on, perhaps before the promise
   * settles; the signal withdraws the subscription. The caller knows TRACK_INFO.
   */
  async subscribe(request: SubscribeRequest, sink: Sink, signal?: AbortSignal): Promise<Subscription> {
    const scope = new Scope(this.signal, signal);
    try {
      const stream = await abortable(this.connection.openBidi(), scope.signal, (late) => reset(late, ResetCode.Cancel));
      // The ID is known here before the peer can hear of it: its groups may arrive at once.
      const asked: Subscribe = { ...request, id: this.nextId++ };
      const subscription = new Subscription(asked, sink, stream, (s) => {
        this.receiver.subscriptions.delete(s.request.id);
        scope.release();
      });
      this.receiver.subscriptions.set(asked.id, subscription);
      scope.onEnd(() => subscription.fail(reasonOf(scope.signal)));
      try {
        await abortable(stream.send.write(opening(BidiStreamType.Subscribe, Subscribe, asked)), scope.signal);
      } catch (e) {
        subscription.fail(asError(e));
        throw e;
      }
      void subscription.run();
      return subscription;
    } catch (e) {
      scope.release();
      throw e;
    }
  }

  /** The peer's reports of the path, until it or the signal ends them. Nothing where it has declared none. */
  async *probe(signal?: AbortSignal): AsyncGenerator<Probe, void> {
    const setup = await this.peerSetup;
    if ((setup.probe ?? ProbeLevel.None) === ProbeLevel.None) return;
    const w = new Writer();
    w.varint(BidiStreamType.Probe);
    const scope = new Scope(this.signal, signal);
    try {
      const stream = await this.open(w.bytes(), scope.signal);
      scope.onEnd(() => reset(stream, ResetCode.Cancel));
      const reader = new Reader(stream.receive);
      try {
        for (;;) {
          const report = await Probe.read(reader);
          if (report === undefined || scope.signal.aborted) return;
          yield report;
        }
      } finally {
        void stream.send.close().catch(() => {});
        stream.receive.cancel(ResetCode.Cancel);
      }
    } catch (e) {
      if (!scope.signal.aborted) throw e;
    } finally {
      scope.release();
    }
  }

  /** Asks the peer to leave for `uri`, or for anywhere else when it is empty. */
  async goaway(uri: string): Promise<void> {
    const stream = await this.open(opening(BidiStreamType.Goaway, Goaway, { uri }), this.signal);
    await stream.send.close();
    stream.receive.cancel(ResetCode.Cancel);
  }

  /** Opens a stream and writes its first bytes. */
  private async open(first: Uint8Array, signal: AbortSignal): Promise<Stream> {
    const stream = await abortable(this.connection.openBidi(), signal, (late) => reset(late, ResetCode.Cancel));
    try {
      await abortable(stream.send.write(first), signal);
    } catch (e) {
      reset(stream, codeOf(e));
      throw e;
    }
    return stream;
  }

  /** Sends a request, ends this side, and hands the answer to `read`. */
  private async ask<T>(
    first: Uint8Array,
    what: string,
    signal: AbortSignal | undefined,
    read: (reader: Reader, stream: Stream) => Promise<T>,
  ): Promise<T> {
    const ms = this.options.requestTimeoutMs;
    const scope = new Scope(this.signal, signal).timeout(ms, () => new TimeoutError(`waited ${ms} ms for ${what}`));
    try {
      const stream = await this.open(first, scope.signal);
      try {
        void stream.send.close().catch(() => {}); // fails where the answer was quicker
        const answer = await abortable(read(new Reader(stream.receive), stream), scope.signal);
        stream.receive.cancel(ResetCode.Cancel); // its FIN may still be on its way
        return answer;
      } catch (e) {
        stream.receive.cancel(codeOf(e));
        throw e;
      }
    } finally {
      scope.release();
    }
  }

  private async sendSetup(): Promise<void> {
    try {
      const stream = await this.connection.openUni();
      await stream.write(opening(UniStreamType.Setup, Setup, this.options.setup));
      await stream.close();
    } catch {
      // The peer has read all it wants and said so, or the connection has ended.
    }
  }

  /** Takes the peer's requests, none of which waits for another. */
  private async acceptBidi(): Promise<void> {
    for (;;) {
      const stream = await this.connection.acceptBidi().catch(() => undefined);
      if (stream === undefined) return;
      if (this.requests.size >= this.options.maxRequests) {
        reset(stream, ResetCode.Bounds);
        continue;
      }
      this.requests.add(stream);
      void serveRequest(stream, this, this.options).finally(() => this.requests.delete(stream));
    }
  }

  /** Lets go of everything, after the connection has ended. */
  private end(cause: ClosedError): void {
    this.life.abort(cause);
    this.noPeer(cause);
    this.receiver.stop();
    for (const stream of this.requests) reset(stream, ResetCode.Cancel);
  }
}
