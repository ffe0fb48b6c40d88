// Package protocol is the wire format of Stentor: Go values on one side, bytes
// on the other, and nothing else. It starts no goroutine, opens no socket and
// reads no clock, so every relay, client and test can share it. The bytes are
// those of moq-lite-05, with moq-lite-04 where a publisher speaks nothing
// newer; docs/wire.md is the normative text that comments cite by section.
//
// A session carries three kinds of bytes:
//
//   - control messages, each exchange on a stream of its own ([Setup],
//     [AnnounceRequest], [Subscribe], [TrackRequest], [Fetch], [Probe],
//     [Goaway]); sections 3 to 6 and 9 to 11;
//   - groups: a [GroupHeader] and its [Frame]s on a unidirectional stream, or
//     one frame in a [Datagram]; sections 7 and 8;
//   - the code that ends a stream early ([ResetCode]); section 13.
//
// Inside the frames travel one Opus packet in a hang container ([ParseLegacy]),
// several in a bundle ([ParseBundle]), or a [Catalog]; section 14.
//
// Every message X has three functions. X.Append writes it after the bytes of a
// slice. ParseX reads it from the start of a slice and says how many bytes it
// took. A [Reader] reads it from a stream that may deliver a byte at a time.
//
// What was parsed can be appended again, whoever sent it. What a program puts
// together itself must keep the limits of section 15 and no integer above
// [MaxInteger]: Append does not check, the other side will.
package protocol
