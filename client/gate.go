package client

// bundle is the number of packets that the longest derived track puts into one
// group. A speaker falls silent only after a whole one.
const bundle = 6

// silentBytes is the size up to which an Opus packet need not be sent at all: an
// encoder that found nothing to encode (DTX) makes one of 1 or 2 bytes.
const silentBytes = 2

// silent reports whether a packet says no more than that nobody speaks. No
// packet at all says the same.
func silent(opus []byte) bool { return len(opus) <= silentBytes }

// silencePacket stands for 20 ms of nothing where a packet is needed to complete
// a bundle: SILK, 20 ms, mono, and no frame behind the TOC (RFC 6716 §3.1), which
// decoders take for discontinuous transmission.
var silencePacket = []byte{0x08}

// A gate decides which frames of a speaker go out. It opens with speech and
// closes in silence, but never inside a bundle: then every relay makes the same
// whole bundles and none waits for packets that never come.
type gate struct{ open bool }

// pass reports whether the frame that would be number next is to be sent.
func (g *gate) pass(next uint64, isSilent bool) bool {
	switch {
	case !isSilent:
		g.open = true
	case next%bundle == 0:
		g.open = false
	}
	return g.open
}
