import type { Buffer } from "./buffer";
import type { BufferConfig } from "./config";
import type { Level } from "./level";

/**
 * Where a player stands.
 *
 * - "idle": start was not called yet.
 * - "locked": the browser lets no page sound before a gesture; call resume in
 *   one (the player does so by itself on the first gesture anywhere).
 * - "playing": samples go out, be they silence.
 * - "interrupted": the system took the sound away (a call, another app, a device
 *   that vanished); it comes back by itself or with the next gesture.
 * - "failed": this browser cannot play; `error` says why.
 * - "closed": close was called.
 */
export type PlayerState = "idle" | "locked" | "playing" | "interrupted" | "failed" | "closed";

/** Which decoder to use. "auto" takes the first that works of wasm (which conceals losses) and webcodecs. */
export type DecoderChoice = "auto" | "wasm" | "webcodecs";

/** Tunes a Player. Only workletUrl has no default. */
export interface PlayerOptions {
  /** Where the built worklet.ts is served: one script for playing and capturing. */
  workletUrl: string | URL;
  /** Tunes each speaker's buffer. */
  buffer?: BufferConfig;
  /** Channels of the mix. Default 1. */
  channels?: 1 | 2;
  /** Default "auto". */
  decoder?: DecoderChoice;
  /** Keeps all that goes out, for tests: 11 MB a minute. Default false. */
  record?: boolean;
  /** Where gestures are listened for. Default: document, if there is one. */
  gestures?: EventTarget | null;
  /** Told of each change of state. */
  onstate?: (state: PlayerState) => void;
}

/** One voice of a player. */
export interface Voice {
  readonly name: string;
  /** Where the frames go, and which says what to FETCH. Its pop belongs to the player. */
  readonly buffer: Buffer;
  /** How loud the last mixed block of this voice was. */
  readonly level: Level;
  /** Linear gain from 0 to 4. Default 1. */
  volume: number;
  muted: boolean;
  /** Packets the decoder refused. They count as played, and are concealed. */
  readonly undecodable: number;
}

/** Tunes one voice. */
export interface VoiceOptions extends BufferConfig {
  /** Channels of the track, from the catalog. Default 1. */
  channels?: 1 | 2;
}

/** What a player has put out since it started, as its worklet counts. */
export interface PlayerStats {
  /** Samples (of each channel) given to the sound card that came from the mix. */
  played: number;
  /** Samples of silence put out because the mix was not there in time. */
  missed: number;
  /** How often that began. */
  underruns: number;
  /** Samples (of each channel) mixed and not yet put out. */
  queued: number;
  /** How much is mixed ahead of the sound card, in ms; it grows with underruns. */
  lead: number;
  /** The context's rate, samples a second. 0 before start. */
  rate: number;
  /** Whether samples go through shared memory (the page is cross-origin isolated) or messages. */
  shared: boolean;
  /** When (performance.now) it was seen that a sample had gone out that was not 0, 60 ms later at most; 0 before. */
  firstSoundAt: number;
  /** How often time went by unheard (locked, asleep) and playout skipped to live. */
  skips: number;
}

/** One packet of the microphone, ready to be sent. */
export interface CapturedFrame {
  /** Consecutive from 0. */
  sequence: number;
  /** Microseconds since the first captured frame, plus MicrophoneOptions.startUs. */
  timestampUs: number;
  /** One Opus packet of 20 ms. */
  packet: Uint8Array;
  /** How loud it is, in dBFS. */
  rms: number;
}

/** Why no voice comes from here, or no longer does. */
export type AudioFault =
  | "refused" // the listener said no to the microphone
  | "no-device" // there is no microphone
  | "busy" // another program holds it
  | "unplugged" // it went away
  | "cannot-capture" // no getUserMedia: an old browser, or a page in the clear
  | "cannot-encode" // this browser cannot encode Opus
  | "cannot-play" // no AudioWorklet, or the worklet did not load
  | "cannot-decode" // neither WebAssembly nor WebCodecs decodes Opus here
  | "failed"; // anything else; cause has it

/** Tunes a Microphone. Only workletUrl and onframe have no default. */
export interface MicrophoneOptions {
  /** Where the built worklet.ts is served: one script for playing and capturing. */
  workletUrl: string | URL;
  /** Takes each packet, in order. */
  onframe: (frame: CapturedFrame) => void;
  /** Told when the voice ends by itself; the microphone is closed by then. */
  onended?: (error: Error) => void;
  /** A deviceId of enumerateDevices. Default: the browser's choice. */
  deviceId?: string;
  /** Bits a second. Default 32 000. */
  bitrate?: number;
  /** Send nothing in silence, where the browser's encoder can tell. Default true. */
  dtx?: boolean;
  /** Default true, each. */
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
  /** The timestamp of the first frame, µs. Default 0. */
  startUs?: number;
}

/** What a Player does; its class is in player.ts. Times are those of performance.now(). */
export interface Playback {
  readonly state: PlayerState;
  /** Why the state is "failed". */
  readonly error: Error | null;
  readonly stats: PlayerStats;
  /** How loud the last mixed block was. */
  readonly level: Level;
  /** Linear gain of the whole mix, 0 to 4. Default 1. */
  volume: number;
  muted: boolean;
  /**
   * Whoever listens also speaks: less is mixed ahead, so that they hear answers sooner,
   * and the page is woken more often. Default false.
   */
  interactive: boolean;
  /** The voices, in the order they came. */
  readonly voices: readonly Voice[];

  /**
   * Opens the sound card and loads the worklet. Resolves when that is done, be the
   * state "playing" or "locked"; rejects with an AudioError. Called in a gesture,
   * it unlocks at once.
   */
  start(): Promise<void>;
  /** Unlocks; call it in a gesture. Resolves to whether it plays. */
  resume(): Promise<boolean>;
  /**
   * Lets a speaker in; its frames may be pushed into voice.buffer at once. Works in
   * any state. Throws if a voice of that name is there.
   */
  add(name: string, options?: VoiceOptions): Voice;
  /** Lets a speaker go: it fades out over the next block. A new one of that name may be added at once. */
  remove(name: string): void;
  /** Mixes what is due, for who is awake anyway: then the sound card need not wake the page for it. */
  refill(): void;
  /** Plays through another device (of enumerateDevices). Rejects where the browser cannot. */
  setOutput(deviceId: string): Promise<void>;
  /** All that was put out so far, interleaved, at stats.rate: with the option record. */
  recording(): Float32Array;
  /** Ends everything. The player cannot be started again. */
  close(): Promise<void>;
}

/** What a Microphone does; its class is in microphone.ts, and `Microphone.open(options)` makes one. */
export interface Capture {
  /** How loud it is here, muted or not. */
  readonly level: Level;
  /** Nothing goes out while muted; the microphone stays open. */
  muted: boolean;
  /** What the browser calls the device. */
  readonly label: string;
  /** The sequence and timestamp that the next packet would have. */
  readonly next: { sequence: number; timestampUs: number };
  /** Ends capture and lets the device go. onended is not called. */
  close(): void;
}
