// Package client speaks into and listens to Stentor rooms from Go programs.
//
//   - [Dial] makes one session with one relay, by native QUIC or WebTransport,
//     and says what to do about it when it cannot.
//   - A [Speaker] publishes one voice to two relays at a time and keeps its
//     numbering, whichever these are ([NewSpeaker], [Speak]).
//   - A [Listener] finds the speakers of a room, takes their packets from
//     whatever session delivers them first, and hands each on once; when its
//     relay goes away, a standby takes over ([NewListener], [Listen]).
//
// The unit of everything is one Opus packet of 20 ms with a sequence, counted
// from 0 by the speaker's client. A listener may ask for bundles of three or six
// of them, which cost a third or a sixth of the packets on the wire; it still
// gets single packets here.
//
// The package never encodes, decodes or touches a sound card, so it builds
// without cgo; packages client/audio and client/playout do that. It starts no
// goroutine that outlives the Close or Run which started it.
package client
