import {
  GroupHeader,
  parseDatagram,
  ProtocolError,
  Reader,
  ResetCode,
  Setup,
  UniStreamType,
  type Wide,
} from "../protocol";
import type { Connection, ReceiveStream } from "./connection";
import { asError, codeOf } from "./errors";
import { deadline, GroupReader } from "./group";
import type { Subscription } from "./subscription";

/** The part of the session's options that receiving goes by. */
export interface ReceiveOptions {
  requestTimeoutMs: number;
  groupIdleMs: number;
  maxGroups: number;
  maxFrame: number;
}

/** Takes what a peer sends unasked: its SETUP, and groups as streams and datagrams. */
export class Receiver {
  /** The session's own, by Subscribe ID. */
  readonly subscriptions = new Map<Wide, Subscription>();
  private readonly receiving = new Set<ReceiveStream>();
  private introduced = false; // the peer's SETUP has come

  constructor(
    private readonly connection: Connection,
    private readonly options: ReceiveOptions,
    private readonly onSetup: (setup: Setup) => void,
  ) {}

  /** Lets go of every stream. */
  stop(): void {
    for (const stream of this.receiving) stream.cancel(ResetCode.Cancel);
  }

  /**
   * Takes the peer's unidirectional streams: its SETUP and its groups. One that
   * dribbles holds up no other.
   */
  async acceptUni(): Promise<void> {
    for (;;) {
      const stream = await this.connection.acceptUni().catch(() => undefined);
      if (stream === undefined) return;
      if (this.receiving.size >= this.options.maxGroups) {
        stream.cancel(ResetCode.Bounds);
        continue;
      }
      this.receiving.add(stream);
      void this.serveUni(stream).finally(() => this.receiving.delete(stream));
    }
  }

  private async serveUni(stream: ReceiveStream): Promise<void> {
    const reader = new Reader(stream);
    const ms = this.options.requestTimeoutMs;
    try {
      const type = await deadline(reader.streamType(), ms, stream, "the type of a stream");
      if (type === UniStreamType.Group) await this.serveGroup(stream, reader);
      else if (type === UniStreamType.Setup) await this.serveSetup(stream, reader);
      stream.cancel(type === undefined || type <= UniStreamType.Setup ? ResetCode.Cancel : ResetCode.UnexpectedStream);
    } catch (e) {
      stream.cancel(codeOf(e));
    }
  }

  private async serveSetup(stream: ReceiveStream, reader: Reader): Promise<void> {
    let setup: Setup | undefined;
    try {
      setup = await deadline(Setup.read(reader), this.options.requestTimeoutMs, stream, "SETUP");
      if (setup === undefined) throw new ProtocolError("setup", "nothing in its stream", "short");
    } catch (e) {
      if (!(e instanceof ProtocolError)) throw e;
      // Without SETUP nothing of the peer's can be trusted to mean what we think.
      return this.connection.close(ResetCode.Decode, `SETUP: ${e.message}`);
    }
    if (this.introduced) return; // a second one is ignored
    this.introduced = true;
    this.onSetup(setup);
    await deadline(reader.finish("setup"), this.options.requestTimeoutMs, stream, "the end of SETUP");
  }

  private async serveGroup(stream: ReceiveStream, reader: Reader): Promise<void> {
    const { requestTimeoutMs, groupIdleMs, maxFrame } = this.options;
    const header = await deadline(GroupHeader.read(reader), requestTimeoutMs, stream, "the header of a group");
    const subscription = header && this.subscriptions.get(header.subscribeId);
    if (subscription === undefined) return;
    try {
      await subscription.sink.group(new GroupReader(header!.sequence, stream, reader, groupIdleMs, maxFrame));
    } catch (e) {
      stream.cancel(codeOf(e));
    }
  }

  /** Hands each datagram to its subscription. Whatever does not fit is dropped without a word. */
  async readDatagrams(): Promise<void> {
    const datagrams = this.connection.datagrams;
    if (datagrams === undefined) return;
    for (;;) {
      const b = await datagrams.read().catch(() => undefined);
      if (b === undefined) return;
      this.takeDatagram(b);
    }
  }

  private takeDatagram(b: Uint8Array): void {
    let subscription: Subscription | undefined;
    try {
      const { subscribeId, sequence, timestamp, payload } = parseDatagram(b);
      subscription = this.subscriptions.get(subscribeId);
      subscription?.sink.datagram(sequence, { timestamp, payload });
    } catch (e) {
      // Malformed before the subscription was known; after that the sink has failed.
      subscription?.fail(asError(e));
    }
  }
}
