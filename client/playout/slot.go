package playout

import "time"

// A Kind says what the next 20 ms of a track are.
type Kind uint8

// The kinds of slot.
const (
	// Play: decode Packet.
	Play Kind = iota

	// Lost: Sequence is given up. Reconstruct it from Next (in-band FEC) if
	// that is set, otherwise let the decoder guess, fading with Run.
	Lost

	// Starved: the next frame should be here and is not, nor is any newer
	// one. It is late, lost or the speaker has stopped: nobody knows yet. Let
	// the decoder guess, fading with Run.
	Starved

	// Silence: nothing is to sound for Wait.
	Silence

	// Ended: the track is over and all of it was given out.
	Ended
)

func (k Kind) String() string {
	switch k {
	case Play:
		return "play"
	case Lost:
		return "lost"
	case Starved:
		return "starved"
	case Silence:
		return "silence"
	}
	return "ended"
}

// A Slot is what a track has for the next 20 ms. Its packets share memory with
// the buffer and are good until the next call of any of its methods.
type Slot struct {
	Kind      Kind
	Sequence  uint64        // of Play and Lost: strictly increasing until the speaker restarts
	Timestamp uint64        // of Play: the speaker's clock, µs
	Packet    []byte        // of Play: one Opus packet
	Repaired  bool          // of Play: had been missing, and was fetched
	Next      []byte        // of Lost: the packet right after, when it is here
	Run       int           // of Lost and Starved: how many such slots in a row, this one included
	Wait      time.Duration // of Silence: for how long at least, above 0
	Lag       time.Duration // of Play and Lost: how much later than due it is given out; negative is early
}
