import Qmux from "@moq/qmux";
import { alpn } from "../protocol";
import { abortable } from "./abort";
import type { Connection } from "./connection";
import { asError } from "./errors";
import { WebStreamsConnection } from "./webstreams";

/** How to reach a relay by WebSocket. */
export interface WebSocketSettings {
  signal?: AbortSignal;
}

/** A socket that is open already: a browser's WebSocket, or something like it. */
export type Socket = Exclude<ConstructorParameters<typeof Qmux>[0], string | URL>;

/** Bytes that may wait in the socket: what is queued behind it can still be dropped or overtaken. */
const sendBuffer = 16 << 10;

/** What this end grants a peer: no datagrams, which gain nothing over TCP. */
const config = { maxDatagramFrameSize: 0n };

/**
 * Opens a moq-lite-05 connection by qmux over WebSocket, for browsers and networks
 * without WebTransport; https URLs become wss. There are no datagrams: groups come
 * and go as streams.
 */
export async function connectWebSocket(url: string, settings: WebSocketSettings = {}): Promise<Connection> {
  settings.signal?.throwIfAborted();
  fillIn();
  const web = new Qmux(url, {
    protocols: [`qmux-02.${alpn}`, `qmux-01.${alpn}`],
    requireProtocol: true,
    sendBufferSize: sendBuffer,
    config,
  });
  return ready(web, settings.signal);
}

/** The same over a socket whose subprotocol was agreed on already. */
export async function overSocket(socket: Socket, settings: WebSocketSettings = {}): Promise<Connection> {
  fillIn();
  return ready(new Qmux(socket, { sendBufferSize: sendBuffer, config }), settings.signal);
}

async function ready(web: Qmux, signal: AbortSignal | undefined): Promise<Connection> {
  web.closed.catch(() => {}); // `ready` says it too
  web.ready.catch(() => {});
  try {
    await (signal ? abortable(web.ready, signal) : web.ready);
  } catch (e) {
    web.close();
    throw asError(e);
  }
  return new WebStreamsConnection(web, "websocket", { datagrams: false });
}

/** Gives qmux what Safari before 17.4 does not have, in which WebTransport is missing too. */
function fillIn(): void {
  const constructor = Promise as unknown as { withResolvers?: () => object };
  constructor.withResolvers ??= function withResolvers(): object {
    let resolve!: (value: unknown) => void;
    let reject!: (cause: unknown) => void;
    const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
    return { promise, resolve, reject };
  };
}
