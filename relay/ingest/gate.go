package ingest

import (
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A Drop is why a publisher's group was not taken. It is also the label of the
// metric stentor_ingest_dropped_total (docs/operating.md).
type Drop string

const (
	// Taken is no drop: the group is fine.
	Taken Drop = ""
	// NotOpus is for a payload on audio/data that is not an Opus packet (RFC 6716 §3.4)
	// behind a timestamp.
	NotOpus Drop = "not_opus"
	// TooLarge is for an audio group above what one datagram carries.
	TooLarge Drop = "too_large"
	// Flood is for more than 100 groups a second over a while.
	Flood Drop = "flood"
	// Jump is for a sequence far ahead of the one before.
	Jump Drop = "sequence_jump"
	// Muted is for a speaker whom the room's state does not let be heard.
	Muted Drop = "muted"
	// Backwards is for a timestamp that steps back while the sequence goes on.
	Backwards Drop = "clock_back"
)

const (
	floodRate  = 100 // groups a second; 20 ms packets are 50
	floodBurst = 300 // a speaker who hops here may send what was missed: 5 s
	// jumpLimit is how far a sequence may run ahead of the one before: 5 minutes
	// of 20 ms packets.
	jumpLimit = 15000
	// backLimit is how far a clock may step back, in µs: reordered packets do.
	backLimit = 2_000_000
	// maxAudio bounds an audio frame; one datagram carries it anywhere.
	maxAudio = protocol.MaxDatagram - 24
)

// A gate checks the audio groups of one track from one source. It is plain
// arithmetic; its owner locks.
type gate struct {
	tokens  float64
	refill  time.Time
	any     bool
	newest  uint64
	newTime uint64 // timestamp of newest
}

// check says whether a group may pass.
func (g *gate) check(sequence uint64, payload []byte, now time.Time) Drop {
	if !g.allow(now) {
		return Flood
	}
	if why := checkPacket(payload); why != Taken {
		return why
	}
	timestamp, _, _ := protocol.ParseLegacy(payload)
	switch {
	case !g.any:
	case sequence > g.newest+jumpLimit:
		return Jump
	case sequence > g.newest && timestamp+backLimit < g.newTime:
		return Backwards
	case sequence < g.newest:
		return Taken // a straggler does not move the gate
	}
	g.any, g.newest, g.newTime = true, sequence, timestamp
	return Taken
}

// checkPacket says whether a payload is an Opus packet behind a timestamp, and
// small enough for one datagram. An empty packet is an end marker.
func checkPacket(payload []byte) Drop {
	if len(payload) > maxAudio {
		return TooLarge
	}
	_, opus, err := protocol.ParseLegacy(payload)
	if err != nil {
		return NotOpus
	}
	if len(opus) > 0 {
		if _, err := protocol.ParseOpus(opus); err != nil {
			return NotOpus
		}
	}
	return Taken
}

func (g *gate) allow(now time.Time) bool {
	if g.refill.IsZero() {
		g.tokens = floodBurst
	} else {
		g.tokens = min(floodBurst, g.tokens+now.Sub(g.refill).Seconds()*floodRate)
	}
	g.refill = now
	if g.tokens < 1 {
		return false
	}
	g.tokens--
	return true
}
