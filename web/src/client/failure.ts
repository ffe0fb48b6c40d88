import { AudioError } from "../audio";
import type { AudioFault } from "../audio";
import { ProtocolError, ResetCode } from "../protocol";
import { ClosedError, TimeoutError } from "../session/errors";
import { Failure, type FailureKind } from "./types";

/** What ended an attempt or a session with a relay, in terms of this library. */
export function failureOf(error: unknown, relay: string): Failure {
  if (error instanceof Failure) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new Failure(kindOf(error), `${relay}: ${said}`, { cause: error });
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof ClosedError && error.remote) return kindOfCode(error.code, error.reason);
  if (error instanceof ProtocolError) return "protocol";
  if (error instanceof TimeoutError) return "unreachable";
  return "unreachable";
}

/** What a relay means by the code that it ends a session with (docs/wire.md, section 13). */
function kindOfCode(code: ResetCode | undefined, reason: string): FailureKind {
  switch (code) {
    case ResetCode.Unauthorized:
      return kindOfRefusal(reason);
    case ResetCode.RoleViolated:
      return "forbidden";
    case ResetCode.Duplicate:
      return "name-taken";
    case ResetCode.Decode:
    case ResetCode.Version:
    case ResetCode.Protocol:
    case ResetCode.UnexpectedMessage:
      return "protocol";
    default:
      return "unreachable";
  }
}

/**
 * What a relay means by the words of a refusal. They end with it: what is before may
 * have been made up by somebody, as the name of a room.
 */
export function kindOfRefusal(said: string): FailureKind {
  if (said.endsWith("removed by its hosts")) return "removed";
  if (said.endsWith("banned from this room")) return "banned";
  if (said.endsWith("the room has ended")) return "ended";
  return "unauthorized";
}

const kinds: Record<AudioFault, FailureKind> = {
  "refused": "microphone-refused",
  "no-device": "microphone-missing",
  "busy": "microphone-missing",
  "unplugged": "microphone-lost",
  "cannot-capture": "unsupported",
  "cannot-encode": "unsupported",
  "cannot-play": "unsupported",
  "cannot-decode": "unsupported",
  "failed": "unsupported",
};

/** What went wrong with sound, in terms of this library. */
export function soundFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const kind = error instanceof AudioError ? kinds[error.fault] : "unsupported";
  return new Failure(kind, error instanceof Error ? error.message : String(error), { cause: error });
}
