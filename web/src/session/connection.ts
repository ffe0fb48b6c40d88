import type { ByteSource, ResetCode } from "../protocol";
import type { ClosedError } from "./errors";

/** What a session runs on. WebTransport and qmux over WebSocket both satisfy it. */
export interface Connection {
  /** Names the transport for people and counters. */
  readonly transport: "webtransport" | "websocket" | "memory";
  /** Undefined where the transport has none. */
  readonly datagrams: Datagrams | undefined;
  /** Why the connection ended, once it has. Never rejects. */
  readonly closed: Promise<ClosedError>;

  /** Opens a stream once the peer's limit allows it. Rejects when the connection ends. */
  openBidi(): Promise<Stream>;
  openUni(): Promise<SendStream>;
  /** The peer's next stream, or undefined once the connection has ended. */
  acceptBidi(): Promise<Stream | undefined>;
  acceptUni(): Promise<ReceiveStream | undefined>;
  /** Ends the connection and every stream on it. The reason is cut at 1024 bytes. Later calls do nothing. */
  close(code: ResetCode, reason?: string): void;
  /** What the browser knows of the path, where it says. */
  stats?(): Promise<PathStats | undefined>;
}

/** What is known of a path. */
export interface PathStats {
  /** Smoothed round trip. */
  rttMs?: number;
  /** bit/s that the transport thinks it can send. */
  sendRate?: number;
}

/** Unreliable messages, each a whole group (docs/wire.md, section 8). */
export interface Datagrams {
  /** Bytes that fit into one. */
  readonly maxSize: number;
  /** The next, or undefined once the connection has ended. */
  read(): Promise<Uint8Array | undefined>;
  /** Queues b and never waits: when the queue is full the oldest in it is dropped. */
  write(b: Uint8Array): void;
}

/** The sending half of a stream. */
export interface SendStream {
  /** Waits while the peer or the network is behind. Rejects when the stream was reset or stopped. */
  write(b: Uint8Array): Promise<void>;
  /** Ends the stream with FIN. */
  close(): Promise<void>;
  /** Resets the stream. Later calls do nothing. */
  abort(code: ResetCode): void;
  /** Settles when the stream was closed, reset, or stopped by the peer. Never rejects. */
  readonly ended: Promise<void>;
}

/**
 * The receiving half of a stream: a {@link ByteSource} whose read throws a
 * StreamError where the peer has reset it.
 */
export interface ReceiveStream extends ByteSource {
  /** Asks the peer to stop. A read that waits gives undefined. After the end it does nothing. */
  cancel(code: ResetCode): void;
}

/** A bidirectional stream. */
export interface Stream {
  readonly send: SendStream;
  readonly receive: ReceiveStream;
}

/** Resets both halves. */
export function reset(stream: Stream, code: ResetCode): void {
  stream.send.abort(code);
  stream.receive.cancel(code);
}
