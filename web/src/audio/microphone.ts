import type { Capture, MicrophoneOptions } from "./api";
import { Encoder } from "./encoder";
import { AudioError, captureError } from "./errors";
import { Framer } from "./framer";
import type { Level } from "./level";
import { INPUT_PROCESSOR, type InputBlock } from "./messages";
import { newContext } from "./sink";
import { VoiceLine } from "./voice_line";

/** A voice from here: microphone, encoder and numbering. */
export class Microphone implements Capture {
  readonly label: string;

  private readonly options: MicrophoneOptions;
  private readonly line: VoiceLine;
  private readonly stream: MediaStream;
  private encoder: Encoder | null = null;
  private context: AudioContext | null = null;
  private closed = false;

  private constructor(options: MicrophoneOptions, stream: MediaStream) {
    this.options = options;
    this.stream = stream;
    this.line = new VoiceLine(options.dtx ?? true, options.startUs ?? 0);
    this.label = stream.getAudioTracks()[0]?.label ?? "";
  }

  /**
   * Asks for the microphone and begins. Call it in a gesture: browsers ask the
   * listener, and some begin to capture only then. Rejects with an AudioError.
   */
  static async open(options: MicrophoneOptions): Promise<Microphone> {
    // Before the listener is asked for anything: can it be used at all?
    let microphone: Microphone | null = null;
    const encoder = await Encoder.open({
      bitrate: options.bitrate ?? 32_000,
      onpacket: (packet) => microphone?.send(packet),
      onerror: (error) => microphone?.end(error),
    });
    try {
      microphone = new Microphone(options, await capture(options));
      microphone.encoder = encoder;
      await microphone.begin();
      return microphone;
    } catch (error) {
      encoder.close();
      microphone?.close();
      throw error;
    }
  }

  get level(): Level {
    return this.line.level;
  }

  get muted(): boolean {
    return this.line.muted;
  }

  set muted(on: boolean) {
    this.line.muted = on;
  }

  get next(): { sequence: number; timestampUs: number } {
    return this.line.next;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const track of this.stream.getTracks()) track.stop();
    this.encoder?.close();
    if (this.context && this.context.state !== "closed") void this.context.close();
  }

  private async begin(): Promise<void> {
    for (const track of this.stream.getAudioTracks()) {
      track.onended = () => this.end(new AudioError("unplugged", "the microphone went away"));
    }
    try {
      await this.connect(newContext());
    } catch (cause) {
      // Some browsers capture only at the device's own rate.
      await this.connect(new AudioContext()).catch(() => {
        throw new AudioError("cannot-capture", "the microphone could not be read", { cause });
      });
    }
  }

  private async connect(context: AudioContext): Promise<void> {
    if (this.context) void this.context.close();
    this.context = context;
    await context.audioWorklet.addModule(this.options.workletUrl);
    const node = new AudioWorkletNode(context, INPUT_PROCESSOR, { numberOfOutputs: 0 });
    const framer = new Framer(context.sampleRate);
    node.port.onmessage = ({ data }: MessageEvent<InputBlock>) => {
      if (this.closed || !this.encoder) return;
      for (const frame of framer.push(data)) this.line.frame(frame as Float32Array<ArrayBuffer>, this.encoder);
    };
    node.onprocessorerror = () => this.end(new AudioError("failed", "the audio worklet broke"));
    context.createMediaStreamSource(this.stream).connect(node);
    const resume = () => {
      if (!this.closed && context.state !== "running") void context.resume().catch(() => undefined);
    };
    context.onstatechange = resume;
    resume();
  }

  private send(packet: Uint8Array): void {
    if (this.closed) return;
    const frame = this.line.packet(packet);
    if (frame) this.options.onframe(frame);
  }

  private end(error: Error): void {
    if (this.closed) return;
    this.close();
    this.options.onended?.(error);
  }
}

/** Asks the browser for the microphone. Rejects with an AudioError. */
async function capture(options: MicrophoneOptions): Promise<MediaStream> {
  if (!globalThis.navigator?.mediaDevices?.getUserMedia) {
    throw new AudioError("cannot-capture", "this page cannot use a microphone: it needs HTTPS and a newer browser");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: constraints(options) });
  } catch (error) {
    throw captureError(error);
  }
}

function constraints(options: MicrophoneOptions): MediaTrackConstraints {
  return {
    channelCount: 1,
    echoCancellation: options.echoCancellation ?? true,
    noiseSuppression: options.noiseSuppression ?? true,
    autoGainControl: options.autoGainControl ?? true,
    ...(options.deviceId && { deviceId: { exact: options.deviceId } }),
  };
}
