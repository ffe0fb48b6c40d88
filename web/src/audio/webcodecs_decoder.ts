import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import type { Decoder } from "./decoder";
import { oneFrame } from "./packet";
import { interleave } from "./wasm_decoder";

/**
 * The browser's own decoder, off this thread. It answers a little later, so
 * packets are handed in 40 ms early, and it conceals nothing. After an error it
 * is made anew; the packets it held count as not decoded.
 */
export class WebCodecsDecoder implements Decoder {
  readonly ahead = 2;

  private readonly config: AudioDecoderConfig;
  private decoder: AudioDecoder;
  private waiting: ((pcm: Float32Array | null) => void)[] = [];
  private timestamp = 0;

  private constructor(config: AudioDecoderConfig) {
    this.config = config;
    this.decoder = this.make();
  }

  /** Rejects where the browser does not decode Opus by WebCodecs. */
  static async open(channels: 1 | 2): Promise<WebCodecsDecoder> {
    const config: AudioDecoderConfig = { codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: channels };
    if (!("AudioDecoder" in globalThis)) throw new Error("no WebCodecs");
    const { supported } = await AudioDecoder.isConfigSupported(config);
    if (!supported) throw new Error("WebCodecs without Opus");
    return new WebCodecsDecoder(config);
  }

  decode(packet: Uint8Array, done: (pcm: Float32Array | null) => void): void {
    if (!oneFrame(packet)) {
      done(null);
      return;
    }
    if (this.decoder.state === "closed") this.decoder = this.make();
    this.waiting.push(done);
    this.decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: this.timestamp, data: packet.slice() }));
    this.timestamp += 20_000;
  }

  close(): void {
    this.waiting = [];
    if (this.decoder.state !== "closed") this.decoder.close();
  }

  private make(): AudioDecoder {
    const decoder = new AudioDecoder({
      output: (data) => {
        const pcm = planes(data);
        data.close();
        this.waiting.shift()?.(pcm.length === FRAME_SAMPLES * this.config.numberOfChannels ? pcm : null);
      },
      error: () => { // it is closed now
        for (const done of this.waiting.splice(0)) done(null);
      },
    });
    decoder.configure(this.config);
    return decoder;
  }
}

/** All of data, interleaved. */
function planes(data: AudioData): Float32Array {
  const all = Array.from({ length: data.numberOfChannels }, (_, planeIndex) => {
    const plane = new Float32Array(data.numberOfFrames);
    data.copyTo(plane, { planeIndex, format: "f32-planar" });
    return plane;
  });
  return interleave(all);
}
