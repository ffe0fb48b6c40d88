import { alpn, ResetCode } from "../protocol";
import { abortable } from "./abort";
import type { Connection } from "./connection";
import { asError, ClosedError } from "./errors";
import { WebStreamsConnection } from "./webstreams";

/** How to reach a relay by WebTransport. */
export interface WebTransportSettings {
  /**
   * SHA-256 of certificates that are accepted although no authority vouches for
   * them, as bytes or in hexadecimal. Browsers want such a certificate to be ECDSA
   * P-256 and valid for at most 14 days.
   */
  certificateHashes?: readonly (string | Uint8Array)[];
  signal?: AbortSignal;
}

/** Whether this browser has WebTransport. */
export function hasWebTransport(): boolean {
  return "WebTransport" in globalThis;
}

/**
 * Opens a moq-lite-05 connection to an https URL, whose path is the session's root
 * and whose query may hold a token. Rejects with the browser's words, which are few.
 */
export async function connectWebTransport(url: string, settings: WebTransportSettings = {}): Promise<Connection> {
  const { signal } = settings;
  signal?.throwIfAborted();
  const hashes = settings.certificateHashes ?? [];
  const web = new WebTransport(url, {
    protocols: [alpn],
    ...(hashes.length > 0 && {
      allowPooling: false,
      serverCertificateHashes: hashes.map((h) => ({ algorithm: "sha-256", value: hashBytes(h) })),
    }),
  });
  web.closed.catch(() => {}); // `ready` says it too
  web.ready.catch(() => {});
  try {
    await (signal ? abortable(web.ready, signal) : web.ready);
  } catch (e) {
    web.close();
    throw asError(e);
  }
  const spoken = (web as WebTransport & { protocol?: string }).protocol;
  // A browser that negotiates no subprotocol says nothing, and the relay has let it in.
  if (spoken !== undefined && spoken !== "" && spoken !== alpn) {
    web.close({ closeCode: ResetCode.Version, reason: "" });
    throw new ClosedError(ResetCode.Version, `the relay speaks ${spoken}, not ${alpn}`, false);
  }
  return new WebStreamsConnection(web, "webtransport", { datagrams: true });
}

/** The bytes of a certificate's hash. Throws unless they are 32. */
export function hashBytes(hash: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes =
    typeof hash === "string"
      ? Uint8Array.from(hash.replaceAll(":", "").match(/../g) ?? [], (pair) => parseInt(pair, 16))
      : Uint8Array.from(hash);
  if (bytes.length !== 32 || (typeof hash === "string" && !/^([0-9a-f]{2}:?){32}$/i.test(hash))) {
    throw new Error(`${JSON.stringify(hash)} is no SHA-256 of a certificate`);
  }
  return bytes;
}
