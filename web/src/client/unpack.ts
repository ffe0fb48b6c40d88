import { Container, ProtocolError, type SourcePacket, audioTimescale, maxInteger, parseBundle, parseLegacy, parseLoc, parseOpus } from "../protocol";

/** The length of a source frame, in µs. */
const FRAME_US = 20_000;

/** How the groups of a track hold Opus packets. */
export interface Format {
  readonly container: string;
  /** Packets in a group. */
  readonly size: number;
  /** Units a second of the moq frames' timestamps. */
  readonly timescale: number;
}

/** What a group brought, and what was wrong with the rest of it. */
export interface Unpacked {
  readonly frames: SourcePacket[];
  readonly fault: ProtocolError | undefined;
}

/**
 * Takes the frame of a group apart. Slots that hold nothing are left out, and so
 * is what is no Opus packet: then the fault says why, and the others are good. The
 * packets share memory with the payload.
 */
export function unpack(format: Format, group: number, timestamp: number, payload: Uint8Array): Unpacked {
  const frames: SourcePacket[] = [];
  let fault: ProtocolError | undefined;
  try {
    for (const packet of packets(format, group, timestamp, payload)) {
      try {
        parseOpus(packet.opus);
        frames.push(packet);
      } catch (error) {
        fault = expected(error);
      }
    }
  } catch (error) {
    fault = expected(error);
  }
  return { frames, fault };
}

function packets(format: Format, group: number, timestamp: number, payload: Uint8Array): SourcePacket[] {
  if (format.container !== Container.Bundle) {
    const packet = format.container === Container.Loc ? parseLoc(payload) : parseLegacy(payload);
    return packet.opus.length === 0 ? [] : [{ sequence: group, ...packet }]; // an empty packet is an end marker
  }
  if (group > (maxInteger - format.size) / format.size) throw new ProtocolError("bundle", `group ${group} out of range`);
  const start = toMicros(timestamp, format.timescale);
  return parseBundle(payload, format.size).flatMap((opus, slot) =>
    opus ? [{ sequence: group * format.size + slot, timestampUs: start + slot * FRAME_US, opus }] : [],
  );
}

/** A timestamp in units of 1/scale seconds as µs, rounded down; 0 beyond what a number holds. */
export function toMicros(timestamp: number, scale: number): number {
  if (scale === audioTimescale) return timestamp;
  const micros = (BigInt(timestamp) * BigInt(audioTimescale)) / BigInt(scale);
  return micros > BigInt(maxInteger) ? 0 : Number(micros);
}

function expected(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  throw error;
}
