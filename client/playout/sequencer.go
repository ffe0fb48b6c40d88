package playout

import "time"

// A Sequencer gives one track's packets out in order, as soon as they are
// there, with losses in their place: for a listener that writes a file or
// passes packets on. It waits for a missing frame as long as Config.MinDelay
// after something newer came, and for nothing else.
type Sequencer struct {
	cfg   Config
	win   window
	ended bool
}

// NewSequencer returns an empty one. Of cfg it takes MinDelay, MaxDelay (which
// bounds how much it holds) and Reorder.
func NewSequencer(cfg Config) *Sequencer {
	cfg = cfg.withDefaults()
	return &Sequencer{cfg: cfg, win: newWindow(cfg.frames())}
}

// Push takes a frame that came at now, as [Buffer.Push] does.
func (s *Sequencer) Push(sequence, timestamp uint64, packet []byte, now time.Duration) Outcome {
	return s.push(sequence, timestamp, packet, now, false)
}

// PushRepaired is Push for a frame that was fetched because it was missing.
func (s *Sequencer) PushRepaired(sequence, timestamp uint64, packet []byte, now time.Duration) Outcome {
	return s.push(sequence, timestamp, packet, now, true)
}

func (s *Sequencer) push(seq, timestamp uint64, packet []byte, now time.Duration, repaired bool) Outcome {
	e, outcome := s.win.admit(seq, timestamp, packet, now)
	if e != nil {
		e.repaired = repaired
	}
	return outcome
}

// Next is the next frame in order, as a Play or a Lost slot. It is not ok when
// there is none yet. Call it until then after every push, and every 20 ms.
func (s *Sequencer) Next(now time.Duration) (slot Slot, ok bool) {
	for !s.win.empty() && s.win.at(s.win.next).left {
		s.win.pass(false)
	}
	if s.win.empty() {
		return Slot{}, false
	}
	e := s.win.at(s.win.next)
	slot = Slot{
		Kind:      Play,
		Sequence:  s.win.next,
		Timestamp: e.timestamp,
		Packet:    e.packet,
		Repaired:  e.repaired,
	}
	if !e.here {
		if now < s.needed(e) {
			return Slot{}, false
		}
		slot = Slot{Kind: Lost, Sequence: s.win.next}
	}
	s.win.pass(e.here)
	return slot, true
}

// Holes is [Buffer.Holes]: the sequences to FETCH now.
func (s *Sequencer) Holes(now, roundTrip time.Duration, dst []uint64) []uint64 {
	if s.win.missing == 0 {
		return dst
	}
	for seq := s.win.next; seq < s.win.end; seq++ {
		if e := s.win.at(seq); !e.here && e.ask(now, s.needed(e), roundTrip, s.cfg.Reorder) {
			dst = append(dst, seq)
		}
	}
	return dst
}

// needed is when a hole is given up.
func (s *Sequencer) needed(e *entry) time.Duration { return e.noticed + s.cfg.MinDelay }

// FetchFailed takes back that a sequence was asked for.
func (s *Sequencer) FetchFailed(sequence uint64) { s.win.fetchFailed(sequence) }

// End says at now that no sequence from end on exists; zero if that is not
// known. Frames missing below it are waited for as before.
func (s *Sequencer) End(end uint64, now time.Duration) {
	s.ended = true
	if s.win.open && end > s.win.end && end <= maxSequence {
		s.win.extend(end, now)
	}
}

// Done reports whether the track is over and all of it was given out.
func (s *Sequencer) Done() bool { return s.ended && s.win.empty() }

// Flush stops waiting: a listener that leaves takes what is there. What is
// missing now counts as lost.
func (s *Sequencer) Flush() {
	for seq := s.win.next; seq < s.win.end; seq++ {
		if e := s.win.at(seq); !e.here {
			e.noticed = -1 << 60
		}
	}
}

// Stats is what was counted so far.
func (s *Sequencer) Stats() Stats { return s.win.stats }
