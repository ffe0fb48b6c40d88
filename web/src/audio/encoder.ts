import { FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { AudioError } from "./errors";
import { oneFrame } from "./packet";

/** AudioEncoderConfig.opus of the Opus registration of WebCodecs, where TypeScript's libraries lag. */
interface OpusConfig extends AudioEncoderConfig {
  opus: { frameDuration: number; application: string; signal: string; usedtx: boolean };
}

/** How an Encoder is opened. */
export interface EncoderOptions {
  /** Bits a second. */
  bitrate: number;
  /** Takes each packet, in the order of the frames: one for each. */
  onpacket: (packet: Uint8Array) => void;
  /** Told once, when it broke; it is closed then. */
  onerror: (error: AudioError) => void;
}

/** Encodes frames of 20 ms to Opus with the browser's WebCodecs. */
export class Encoder {
  private readonly encoder: AudioEncoder;
  private timestamp = 0; // µs

  private constructor(config: AudioEncoderConfig, { onpacket, onerror }: EncoderOptions) {
    this.encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        if (oneFrame(packet)) {
          onpacket(packet);
          return;
        }
        this.close();
        onerror(new AudioError("cannot-encode", `this browser's Opus packets are not of ${FRAME_MS} ms`));
      },
      error: (cause) => onerror(new AudioError("cannot-encode", "the browser's Opus encoder broke", { cause })),
    });
    this.encoder.configure(config);
  }

  /** Rejects with an AudioError where the browser cannot encode. */
  static async open(options: EncoderOptions): Promise<Encoder> {
    for (const config of configs(options.bitrate)) if (await supported(config)) return new Encoder(config, options);
    throw new AudioError("cannot-encode", "this browser cannot encode Opus; listening works");
  }

  /** Takes the next 20 ms, one channel. */
  encode(frame: Float32Array<ArrayBuffer>): void {
    if (this.encoder.state === "closed") return;
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: SAMPLE_RATE,
      numberOfChannels: 1,
      numberOfFrames: FRAME_SAMPLES,
      timestamp: this.timestamp,
      data: frame,
    });
    this.timestamp += FRAME_MS * 1000;
    this.encoder.encode(data);
    data.close();
  }

  close(): void {
    if (this.encoder.state !== "closed") this.encoder.close();
  }
}

/** From what is wanted to what every browser with Opus takes. */
function configs(bitrate: number): AudioEncoderConfig[] {
  const plain = { codec: "opus", sampleRate: SAMPLE_RATE, numberOfChannels: 1, bitrate };
  const voice: OpusConfig = {
    ...plain,
    opus: { frameDuration: FRAME_MS * 1000, application: "voip", signal: "voice", usedtx: false },
  };
  return [voice, plain];
}

async function supported(config: AudioEncoderConfig): Promise<boolean> {
  if (!("AudioEncoder" in globalThis)) return false;
  try {
    return (await AudioEncoder.isConfigSupported(config)).supported === true;
  } catch {
    return false;
  }
}
