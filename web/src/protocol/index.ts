/**
 * The wire format of Stentor, moq-lite-05: values on one side, bytes on the other,
 * and nothing else. It opens no socket and reads no clock; docs/wire.md is the
 * normative text that comments cite by section. It mirrors Go's package protocol
 * and runs the same vectors.
 *
 * Every message X is an interface and a {@link Message} of the same name:
 * `X.encode(m)`, `X.parse(bytes)`, and `X.read(reader)` off a stream that may
 * deliver a byte at a time. Malformed input throws a {@link ProtocolError}.
 */
export * from "./announce";
export * from "./catalog";
export * from "./container";
export * from "./datagram";
export * from "./errors";
export * from "./fetch";
export * from "./floor";
export * from "./frame";
export * from "./goaway";
export * from "./group";
export type { Message } from "./message";
export * from "./opus";
export * from "./path";
export * from "./probe";
export * from "./reader";
export * from "./reset";
export * from "./response";
export * from "./setup";
export * from "./stream";
export * from "./subscribe";
export * from "./track";
export { maxInteger, maxVarint, type Wide } from "./varint";
export { Writer } from "./writer";
