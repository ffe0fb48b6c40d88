import { codeName, Limit, type ResetCode } from "../protocol";
import type { Connection, PathStats, ReceiveStream, SendStream, Stream } from "./connection";
import { DatagramChannel } from "./datagrams";
import { asError, ClosedError, StreamError } from "./errors";

/** A connection of the browser's WebTransport, or of anything with its interface. */
export class WebStreamsConnection implements Connection {
  readonly closed: Promise<ClosedError>;
  readonly datagrams: DatagramChannel | undefined;
  readonly stats?: () => Promise<PathStats | undefined>;

  private readonly bidi: ReadableStreamDefaultReader<WebTransportBidirectionalStream>;
  private readonly uni: ReadableStreamDefaultReader<ReadableStream<Uint8Array>>;
  private closing: ClosedError | undefined; // this end closed it

  /** `transport` must be ready. */
  constructor(
    private readonly web: WebTransport,
    readonly transport: "webtransport" | "websocket",
    options: { datagrams: boolean },
  ) {
    this.bidi = web.incomingBidirectionalStreams.getReader();
    this.uni = web.incomingUnidirectionalStreams.getReader();
    this.closed = web.closed.then(
      ({ closeCode = 0, reason = "" }) => this.closing ?? new ClosedError(closeCode, reason, true),
      (e: unknown) => this.closing ?? new ClosedError(undefined, asError(e).message, false, { cause: e }),
    );
    if (options.datagrams) this.datagrams = new DatagramChannel(web.datagrams);
    if ("getStats" in web) this.stats = () => pathStats(web);
  }

  async openBidi(): Promise<Stream> {
    const { readable, writable } = await this.web.createBidirectionalStream();
    return { send: new WebSend(writable), receive: new WebReceive(readable) };
  }

  async openUni(): Promise<SendStream> {
    return new WebSend(await this.web.createUnidirectionalStream());
  }

  async acceptBidi(): Promise<Stream | undefined> {
    const next = await this.bidi.read().catch(() => undefined); // `closed` says why
    if (!next?.value) return undefined;
    return { send: new WebSend(next.value.writable), receive: new WebReceive(next.value.readable) };
  }

  async acceptUni(): Promise<ReceiveStream | undefined> {
    const next = await this.uni.read().catch(() => undefined);
    return next?.value && new WebReceive(next.value);
  }

  close(code: ResetCode, reason = ""): void {
    if (this.closing) return;
    this.closing = new ClosedError(code, reason, false);
    try {
      this.web.close({ closeCode: code, reason: cut(reason, Limit.reason) });
    } catch {
      // It has ended already.
    }
  }
}

/** The longest start of s that has at most `bytes` bytes. */
function cut(s: string, bytes: number): string {
  const b = new TextEncoder().encode(s);
  return b.length <= bytes ? s : new TextDecoder().decode(b.subarray(0, bytes)).replace(/\uFFFD$/, "");
}

// Not in TypeScript's library yet: draft-ietf-webtrans, WebTransportConnectionStats.
interface Stats {
  smoothedRtt?: number;
  estimatedSendRate?: number | null;
}

async function pathStats(web: WebTransport): Promise<PathStats | undefined> {
  try {
    const stats = await (web as WebTransport & { getStats(): Promise<Stats> }).getStats();
    return {
      ...(stats.smoothedRtt && { rttMs: stats.smoothedRtt }),
      ...(stats.estimatedSendRate && { sendRate: stats.estimatedSendRate }),
    };
  } catch {
    return undefined; // ended, or the browser knows nothing
  }
}

class WebSend implements SendStream {
  readonly ended: Promise<void>;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  private aborted = false;

  constructor(stream: WritableStream<Uint8Array>) {
    this.writer = stream.getWriter();
    this.writer.ready.catch(() => {}); // it tells nothing that a write does not
    this.ended = this.writer.closed.then(nothing, nothing);
  }

  async write(b: Uint8Array): Promise<void> {
    await this.writer.write(b).catch(rethrow);
  }

  async close(): Promise<void> {
    await this.writer.close().catch(rethrow);
  }

  abort(code: ResetCode): void {
    if (this.aborted) return;
    this.aborted = true;
    this.writer.abort(streamReset(code)).catch(nothing);
  }
}

class WebReceive implements ReceiveStream {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private over = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.reader = stream.getReader();
    this.reader.closed.catch(nothing);
  }

  async read(): Promise<Uint8Array | undefined> {
    const { value, done } = await this.reader.read().catch((e: unknown) => {
      this.over = true;
      return rethrow(e);
    });
    if (done) this.over = true;
    return value;
  }

  cancel(code: ResetCode): void {
    if (this.over) return;
    this.over = true;
    this.reader.cancel(streamReset(code)).catch(nothing);
  }
}

function nothing(): void {}

/** Throws what a stream failed with, in this package's words. */
function rethrow(e: unknown): never {
  const code = (e as Partial<WebTransportError> | undefined)?.streamErrorCode;
  if (typeof code === "number") throw new StreamError(code, true, { cause: e });
  throw asError(e);
}

type NewErrorArguments = [message: string, init: { source: "stream"; streamErrorCode: number }];
type OldErrorArguments = [init: { message: string; streamErrorCode: number }];
type ErrorConstructor = new (...args: NewErrorArguments | OldErrorArguments) => { streamErrorCode: number | null };

/**
 * The reason whose code goes onto the wire. Browsers want their own class, whose
 * constructor has changed its arguments; without one, the field is what counts.
 */
export function streamReset(code: ResetCode): unknown {
  const message = codeName(code);
  const Native = (globalThis as { WebTransportError?: ErrorConstructor }).WebTransportError;
  if (Native === undefined) return Object.assign(new Error(message), { source: "stream", streamErrorCode: code });
  for (const args of [
    [message, { source: "stream", streamErrorCode: code }],
    [{ message, streamErrorCode: code }],
  ] as [NewErrorArguments, OldErrorArguments]) {
    try {
      const error = new Native(...args);
      if (error.streamErrorCode === code) return error;
    } catch {
      // The other form.
    }
  }
  return new Native(message, { source: "stream", streamErrorCode: 0 });
}
