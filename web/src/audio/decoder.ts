/**
 * One speaker's Opus decoder at 48 kHz, with as many channels as the PCM it makes
 * has interleaved. It keeps state from frame to frame and belongs to one speaker
 * alone.
 */
export interface Decoder {
  /**
   * How many frames before they are needed packets have to be handed in: 0 of a
   * decoder that answers within the call.
   */
  readonly ahead: number;

  /**
   * Decodes one packet of 20 ms and hands its PCM to done, which keeps it; null
   * if the packet does not decode. Packets are answered in order, each once,
   * within the call or later. It never throws.
   */
  decode(packet: Uint8Array, done: (pcm: Float32Array | null) => void): void;

  /**
   * Fills pcm, a frame, with what might have come next, and overlap with what
   * might follow that (to fade from, into what really comes). False if it cannot;
   * absent from decoders that cannot at all.
   */
  conceal?(pcm: Float32Array, overlap: Float32Array): boolean;

  /** Frees what it holds. Nothing else may be called after it. */
  close(): void;
}
