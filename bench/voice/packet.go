package voice

import "math/rand/v2"

// MinBytes and MaxBytes bound the size of a packet. Shorter ones are silence to
// some, and longer ones no single Opus frame (RFC 6716 §3.4, R2).
const (
	MinBytes = 3
	MaxBytes = 1275
)

// toc says: CELT, full band, one frame of 20 ms, mono (RFC 6716 §3.1).
const toc = 31 << 3

// Packet is an Opus packet of so many bytes, from [MinBytes] to [MaxBytes]. What
// it sounds like nobody knows: to everything but a decoder it is a packet like
// any other.
func Packet(bytes int) []byte {
	p := make([]byte, bytes)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(p) // never fails
	p[0] = toc
	return p
}
