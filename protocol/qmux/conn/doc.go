// Package conn carries a moq-lite session over a WebSocket: a [Conn] is a
// [session.Conn], so that nothing above knows how the peer came. The bytes are
// package qmux's; here are streams, flow control, pings and the end.
//
// A connection has two goroutines. One reads the socket and hands each frame to
// its stream; it never waits for the other. One writes: what has to be said
// about the connection first, then requests and answers, then groups, in the
// order they were written. Little waits to be written, a writer of a group waits
// while there is enough, and the system is asked to keep little unsent as well:
// what a slow peer cannot take any more is dropped by who would send it, where
// it is known what is old. What a peer does not take for ten seconds ends its
// session, and nobody else's.
//
// It sends no datagrams, accepts none, and never compresses.
package conn
