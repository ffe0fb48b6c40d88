import type { Capture, CapturedFrame, Playback, PlayerState } from "../audio";
import type { Connection } from "../session/connection";

/** How to reach a relay. */
export interface Reach {
  /** SHA-256 of certificates that it may have, in hexadecimal. */
  readonly hashes: readonly string[];
  readonly transport: "webtransport" | "websocket" | undefined;
  /** Shows the relay that this client may go first; undefined if it may not. */
  readonly knock: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  readonly signal: AbortSignal;
}

/** Where a listener's voices sound: audio's Player, or what a test has in its place. */
export type Sound = Pick<
  Playback,
  "state" | "error" | "stats" | "volume" | "muted" | "interactive" | "start" | "resume" | "add" | "remove" | "refill" | "recording" | "close"
>;

/** How to play. */
export interface SoundOptions {
  readonly workletUrl: string | URL | undefined;
  readonly record: boolean;
  readonly onstate: (state: PlayerState) => void;
}

/** Where a talker's voice comes from: audio's Microphone, or what a test has in its place. */
export type Voicing = Pick<Capture, "level" | "muted" | "close">;

/** How to capture. */
export interface MicrophoneWish {
  readonly workletUrl: string | URL | undefined;
  readonly deviceId: string | undefined;
  readonly bitrate: number;
  readonly onframe: (frame: CapturedFrame) => void;
  readonly onended: (error: Error) => void;
}

/** What a browser tells of the world around the page. */
export interface Watch {
  /** Packets leave by another network than before. */
  readonly moved: () => void;
  /** The page is looked at again, or runs again. */
  readonly shown: () => void;
}

/** All that this library takes from the browser. Tests bring their own. */
export interface Host {
  /** Milliseconds of a clock that never steps back, as performance.now(). */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** In [0, 1). */
  random(): number;
  readonly fetch: typeof fetch;
  /** Where the page came from, if it came from anywhere. */
  readonly origin: string | undefined;
  connect(url: string, reach: Reach): Promise<Connection>;
  sound(options: SoundOptions): Sound;
  /** Asks for the microphone and begins to capture; rejects with an AudioError. */
  microphone(wish: MicrophoneWish): Promise<Voicing>;
  /** Calls back until the returned function is called. */
  watch(watch: Watch): () => void;
}
