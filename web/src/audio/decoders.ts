import type { DecoderChoice } from "./api";
import type { Decoder } from "./decoder";
import { AudioError } from "./errors";
import { WasmDecoder } from "./wasm_decoder";
import { WebCodecsDecoder } from "./webcodecs_decoder";

/** Makes a speaker's decoder. */
export type OpenDecoder = (channels: 1 | 2) => Promise<Decoder>;

/**
 * Makes a decoder of the kind wanted; with "auto", of the first kind that works
 * here. libopus in WebAssembly comes first, as it conceals losses; WebCodecs is for
 * pages whose policy forbids WebAssembly. Rejects with an AudioError.
 */
export async function openDecoder(choice: DecoderChoice, channels: 1 | 2): Promise<Decoder> {
  const kinds: OpenDecoder[] = [];
  if (choice !== "webcodecs") kinds.push(WasmDecoder.open);
  if (choice !== "wasm") kinds.push(WebCodecsDecoder.open);
  return firstThatOpens(kinds, channels);
}

/** The first decoder that opens. Rejects with an AudioError that has all causes. */
export async function firstThatOpens(kinds: OpenDecoder[], channels: 1 | 2): Promise<Decoder> {
  const causes: unknown[] = [];
  for (const open of kinds) {
    try {
      return await open(channels);
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new AudioError("cannot-decode", "this browser cannot decode Opus", { cause: new AggregateError(causes) });
}
