import { ProtocolError } from "./errors";

const maxFrame = 1275; // bytes (RFC 6716 §3.2.1)
const maxDurationMs = 120; // of a packet (RFC 6716 §3.2.5)

/** What an Opus packet says about itself without being decoded (RFC 6716 §3.1). */
export interface OpusInfo {
  /** Mode, bandwidth and frame duration as one number, 0 to 31 (RFC 6716 table 2). */
  config: number;
  stereo: boolean;
  /** 1 to 48. */
  frames: number;
  /** Of all frames, 2.5 to 120. */
  durationMs: number;
}

/** How long each frame of a packet with this config lasts (RFC 6716 table 2). */
export function frameDurationMs(config: number): number {
  if (config < 12) return [10, 20, 40, 60][config % 4]!;
  if (config < 16) return [10, 20][config % 2]!;
  return [2.5, 5, 10, 20][config % 4]!;
}

/**
 * Checks that a packet, which must not be of the self-delimiting form, is well
 * formed, R1 to R7 of RFC 6716 §3.4, and says what it holds. It does not look
 * into the frames.
 */
export function parseOpus(packet: Uint8Array): OpusInfo {
  const toc = packet[0];
  if (toc === undefined) throw broken(1, "empty packet");
  const config = toc >> 3;
  const frameMs = frameDurationMs(config);
  const frames = countFrames(toc & 3, packet.subarray(1), frameMs);
  return { config, stereo: (toc & 4) !== 0, frames, durationMs: frames * frameMs };
}

/** Names the requirement of RFC 6716 §3.4 that a packet breaks. */
function broken(requirement: number, why: string): ProtocolError {
  return new ProtocolError("opus", `${why} (R${requirement})`);
}

function countFrames(code: number, body: Uint8Array, frameMs: number): number {
  switch (code) {
    case 0:
      checkFrame(body.length);
      return 1;
    case 1:
      if (body.length % 2 !== 0) throw broken(3, "two equal frames in an odd number of bytes");
      checkFrame(body.length / 2);
      return 2;
    case 2:
      checkFrames(body, 2, 4);
      return 2;
    default:
      return countMany(body, frameMs);
  }
}

function checkFrame(size: number): void {
  if (size > maxFrame) throw broken(2, "frame above 1275 bytes");
}

/** Reads what follows the TOC of a code 3 packet (RFC 6716 §3.2.5). */
function countMany(body: Uint8Array, frameMs: number): number {
  const head = body[0];
  if (head === undefined) throw broken(6, "no frame count");
  const frames = head & 0x3f;
  if (frames === 0 || frames * frameMs > maxDurationMs) throw broken(5, "no frame, or more than 120 ms");
  let rest = body.subarray(1);
  if ((head & 0x40) !== 0) rest = cutPadding(rest);
  if ((head & 0x80) !== 0) {
    checkFrames(rest, frames, 7);
    return frames;
  }
  if (rest.length % frames !== 0) throw broken(6, "equal frames do not divide the packet");
  checkFrame(rest.length / frames);
  return frames;
}

/**
 * Takes the padding's length off the front and the padding off the end. Each byte
 * 255 adds 254 and says that another byte follows.
 */
function cutPadding(b: Uint8Array): Uint8Array {
  let padding = 0;
  for (let i = 0; i < b.length; i++) {
    const n = b[i]!;
    if (n === 255) {
      padding += 254;
      continue;
    }
    const rest = b.subarray(i + 1);
    padding += n;
    if (padding > rest.length) break;
    return rest.subarray(0, rest.length - padding);
  }
  throw broken(6, "padding longer than the packet");
}

/** Checks frames of different sizes: those of all but the last stand in front, then come the frames. */
function checkFrames(b: Uint8Array, frames: number, requirement: number): void {
  let at = 0;
  let sum = 0;
  for (let i = 1; i < frames; i++) {
    const first = b[at];
    const second = b[at + 1];
    if (first === undefined || (first >= 252 && second === undefined)) {
      throw broken(requirement, "ends inside the frame sizes");
    }
    sum += first < 252 ? first : 4 * second! + first;
    at += first < 252 ? 1 : 2;
  }
  const left = b.length - at;
  if (sum > left) throw broken(requirement, "frames longer than the packet");
  checkFrame(left - sum);
}
