import type { AudioFault } from "./api";

/** An AudioError says in words what went wrong with sound, and by its fault what to do about it. */
export class AudioError extends Error {
  readonly fault: AudioFault;

  constructor(fault: AudioFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AudioError";
    this.fault = fault;
  }
}

/** What getUserMedia's refusal means (Media Capture and Streams §10.2). */
export function captureError(cause: unknown): AudioError {
  switch (cause instanceof Error ? cause.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return new AudioError("refused", "the microphone was refused", { cause });
    case "NotFoundError":
    case "OverconstrainedError":
      return new AudioError("no-device", "there is no such microphone", { cause });
    case "NotReadableError":
    case "AbortError":
      return new AudioError("busy", "the microphone is in use elsewhere or does not answer", { cause });
    case "TypeError":
      return new AudioError("cannot-capture", "this page cannot use a microphone", { cause });
  }
  return new AudioError("failed", "the microphone failed", { cause });
}
