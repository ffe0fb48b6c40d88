/**
 * Why a stream was reset or stopped, or a session closed (docs/wire.md, section
 * 13). Peers mostly send 0 and act on the fact alone, and may send numbers that
 * are not here. WebTransport and qmux carry the plain number.
 */
export type ResetCode = number;

/** The codes that Stentor sends or acts on. */
export const ResetCode = {
  /** No longer wanted; also when no reason is given. */
  Cancel: 0,
  /** The group is older than anybody wants it. */
  TooOld: 2,
  Timeout: 3,
  Transport: 4,
  /** Malformed bytes. */
  Decode: 5,
  Unauthorized: 6,
  Version: 9,
  UnexpectedStream: 10,
  /** A limit was exceeded. */
  Bounds: 11,
  /** The group is here already. */
  Duplicate: 12,
  /** No such broadcast, track or group. */
  NotFound: 13,
  Protocol: 15,
  UnexpectedMessage: 16,
  Unsupported: 17,
  /** The client said it would not do this. */
  RoleViolated: 20,
  /** The source went away without finishing. */
  Dropped: 24,
  Closed: 25,
  /** The reader was too slow. */
  Lagged: 26,
  FrameTooLarge: 27,
  /** Nobody announces the broadcast. */
  Unroutable: 30,
  /** The group left the cache. */
  Evicted: 31,
} as const satisfies Record<string, ResetCode>;

const names = new Map<ResetCode, string>(
  Object.entries(ResetCode).map(([name, code]) => [code, name.replace(/(?!^)[A-Z]/g, (c) => " " + c).toLowerCase()]),
);

/** Names a code, or gives its number. */
export function codeName(code: ResetCode): string {
  return names.get(code) ?? `code ${code}`;
}
