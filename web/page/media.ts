/**
 * The page as the lock screen, the headset and the keyboard's media keys see it.
 * Sound comes from an AudioContext, which none of them knows: an element that plays
 * silence stands for it, and keeps the sound going in the background. It costs as
 * much as a tenth of the whole page, so where there is a keyboard it plays only while
 * the page is not looked at: meanwhile the keys for music do nothing here.
 */

/** What the keys do. */
export interface MediaKeys {
  play(): void;
  pause(): void;
}

/** Seconds of silence in the loop; browsers take no notice of sounds below five. Each turn of it costs a seek. */
const loopSeconds = 60;
const rate = 8000;

/** Says to the system what plays. */
export class MediaPresence {
  #silence: HTMLAudioElement | undefined;
  #playing = false;
  readonly #phone = matchMedia("(pointer: coarse)").matches;

  constructor(keys: MediaKeys) {
    if (!("mediaSession" in navigator)) return;
    const actions: [MediaSessionAction, () => void][] = [["play", () => keys.play()], ["pause", () => keys.pause()], ["stop", () => keys.pause()]];
    for (const [action, handler] of actions) {
      try {
        navigator.mediaSession.setActionHandler(action, handler);
      } catch {
        // an action that this browser does not know
      }
    }
    document.addEventListener("visibilitychange", () => this.#silence && this.#follow(this.#silence));
  }

  /** Playing began; call it in a gesture. */
  begin(): void {
    if (!("mediaSession" in navigator)) return;
    // iOS: what plays is a programme, not the click of a page: the silent switch does not silence it.
    const session = (navigator as { audioSession?: { type: string } }).audioSession;
    if (session?.type === "auto") session.type = "playback";
    this.#playing = true;
    const element = (this.#silence ??= silence());
    // In the gesture, so that it may be played again without one; if there is none, the sound itself will ask for it.
    void element.play().then(() => this.#follow(element), () => undefined);
    navigator.mediaSession.playbackState = "playing";
  }

  /** Playing ended. */
  end(): void {
    if (!("mediaSession" in navigator)) return;
    this.#playing = false;
    this.#silence?.pause();
    navigator.mediaSession.playbackState = "paused";
  }

  /** Has the element play only while it is of use. */
  #follow(element: HTMLAudioElement): void {
    if (this.#playing && (this.#phone || document.hidden)) void element.play().catch(() => undefined);
    else element.pause();
  }

  /** A microphone is open, or no longer: iOS then routes the sound as for a call. */
  talking(on: boolean): void {
    const session = (navigator as { audioSession?: { type: string } }).audioSession;
    if (session !== undefined) session.type = on ? "play-and-record" : "playback";
  }

  /** What the lock screen shows. */
  show(title: string, artist: string, album: string): void {
    if (!("mediaSession" in navigator)) return;
    const shown = navigator.mediaSession.metadata;
    if (shown?.title === title && shown.artist === artist && shown.album === album) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist, album });
  }
}

function silence(): HTMLAudioElement {
  const audio = new Audio(URL.createObjectURL(new Blob([silentWav(loopSeconds * rate)], { type: "audio/wav" })));
  audio.loop = true;
  return audio;
}

/** A WAV file of so many silent samples: 8 bits, mono, whose middle is 128. */
function silentWav(samples: number): ArrayBuffer {
  const bytes = new Uint8Array(44 + samples).fill(128, 44);
  const view = new DataView(bytes.buffer);
  const text = (at: number, tag: string): void => [...tag].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, rate, true); // bytes a second
  view.setUint16(32, 1, true); // bytes of a sample of all channels
  view.setUint16(34, 8, true); // bits
  text(36, "data");
  view.setUint32(40, samples, true);
  return bytes.buffer;
}
