package playout

// Stats counts 20 ms source frames of one track since its buffer was made,
// whatever number of them a datagram carried.
//
// Every pushed frame ends up in exactly one of Played, Late, Duplicate and
// Refused, unless it still waits. Every sequence that playout has passed is in
// exactly one of Played and Lost.
type Stats struct {
	First uint64 // the first sequence that was played or given up
	Last  uint64 // the last one; both restart when the speaker does

	Expected uint64 // sequences that playout has passed: Played + Lost
	Played   uint64 // given out as packets
	Lost     uint64 // given up: not here, or too old, when their time came

	Concealed uint64 // of those lost: covered by FEC or by the decoder's guess
	Repaired  uint64 // of those played: had been missing, and were fetched

	Duplicate uint64 // copies of a frame that had come already
	Late      uint64 // first copies that came after their sequence was given up
	Refused   uint64 // no audio frame, or a sequence far outside the window
	Stalled   uint64 // 20 ms blocks inserted because a frame of running speech was not there yet
}

// An Outcome is what became of a pushed frame.
type Outcome uint8

// The outcomes of a push.
const (
	Accepted  Outcome = iota // will be played, or is too old when its time comes
	Duplicate                // came before; dropped
	Late                     // its sequence was given up already; dropped
	Refused                  // empty, longer than MaxPacket, or far outside the window; dropped
)

func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Duplicate:
		return "duplicate"
	case Late:
		return "late"
	}
	return "refused"
}
