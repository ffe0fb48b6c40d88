package protocol

import "github.com/quic-go/quic-go/quicvarint"

// Ranges of integers.
const (
	// MaxVarint is the largest integer that the wire can carry (RFC 9000 §16).
	MaxVarint = 1<<62 - 1

	// MaxInteger is the largest integer that Stentor sends: JavaScript peers
	// hold integers in a double and refuse more. Larger ones are read.
	MaxInteger = 1<<53 - 1

	// maxTimestamp is the largest timestamp that the first frame of a group can
	// have, since zigzag coding takes one of the 62 bits. No parser lets more
	// pass, so a timestamp may move from a datagram or a container to a frame.
	maxTimestamp = 1<<61 - 1
)

// appendVarint writes v in the shortest form. A value above MaxVarint is the
// caller's mistake, and still no panic: one plus a sequence that a peer made up
// must not end a relay. It is written as MaxVarint.
func appendVarint(b []byte, v uint64) []byte {
	return quicvarint.Append(b, min(v, MaxVarint))
}

// zigzag folds the sign into the lowest bit: 0, -1, 1, -2 become 0, 1, 2, 3.
func zigzag(d int64) uint64 { return uint64(d)<<1 ^ uint64(d>>63) }

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
