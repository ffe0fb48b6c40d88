package admission

import "time"

// A Verdict is what becomes of a packet with which somebody asks for a handshake.
type Verdict uint8

const (
	// Pass hands it on: its handshake has begun before.
	Pass Verdict = iota
	// Hold keeps it until it is its sender's turn ([Line.Next]).
	Hold
	// Validate lets the sender show that the address is its own, and come again.
	Validate
	// Refuse lets the sender know that it has come at a bad time.
	Refuse
	// Drop forgets it. Its sender comes again by itself, later each time.
	Drop
	// Ignore forgets it, too: it is more of what has been answered.
	Ignore
)

// A Line is where newcomers stand before their handshake begins, so that
// handshakes begin one after the other and not all that come at once: each takes
// about as long as it takes to give a packet to a hundred listeners, who would
// wait for all of them. Who would stand too long is refused at once, and what there
// is no time to refuse is dropped.
//
// K is who somebody is as long as the handshake lasts, P what is kept of a packet.
type Line[K comparable, P any] struct {
	// Turns lets those who stand begin.
	Turns Bucket
	// Refusals and Validations are what may be said a second. They cost a tenth of
	// a handshake; silence costs next to nothing.
	Refusals, Validations Bucket

	standing []standing[K, P]
	waited   int           // who have begun since Waited was asked, and had stood for a while
	fates    [2]map[K]fate // of this stretch of remember, and of the one before
	turned   time.Duration // when that was
	pressed  time.Duration // until then addresses are validated
}

// standing is one who stands in line, with the packets that have come.
type standing[K comparable, P any] struct {
	who     K
	since   time.Duration
	packets []P
}

// A fate is what was said to somebody.
type fate struct {
	said Verdict
	at   time.Duration
}

const (
	// holds is for how long somebody may stand: about as long as a client waits
	// until it sends its first packet again.
	holds = 250 * time.Millisecond
	// awhile is longer than a few who come together stand.
	awhile = 20 * time.Millisecond
	// mostPackets are kept of each: post-quantum keys take two, and the third is
	// the first again.
	mostPackets = 2
	// again is for how long the rest of what was answered is ignored.
	again = 100 * time.Millisecond
	// remember is for how long at the least it is known who has begun: a handshake
	// takes up to 5 s.
	remember = 5 * time.Second
	// mostFates bounds what is remembered.
	mostFates = 100_000
	// pressing is for how long addresses are validated at the least once somebody
	// would have to stand for half of what they may.
	pressing = time.Second
)

// Arrive decides over a packet of somebody whose address has been shown to be
// their own, or not yet. It keeps what keep returns if it holds the packet.
func (l *Line[K, P]) Arrive(now time.Duration, who K, validated bool, keep func() P) Verdict {
	if f, known := l.fate(now, who); known {
		switch {
		case f.said == Pass:
			return Pass
		case f.said == Hold:
			return l.more(who, keep)
		case f.said == Validate && validated:
		case now < f.at+again:
			return Ignore
		}
	}
	stands := l.Turns.Due(now, len(l.standing)+1)
	if stands > holds/2 {
		l.pressed = now + pressing
	}
	said := Hold
	switch {
	case stands > holds && l.Refusals.Take(now):
		said = Refuse
	case stands > holds:
		return Drop
	case now < l.pressed && !validated && l.Validations.Take(now):
		said = Validate
	case now < l.pressed && !validated:
		return Drop
	default:
		l.standing = append(l.standing, standing[K, P]{who, now, append(make([]P, 0, mostPackets), keep())})
	}
	l.fates[0][who] = fate{said, now}
	return said
}

// more keeps a further packet of somebody who stands.
func (l *Line[K, P]) more(who K, keep func() P) Verdict {
	for i := len(l.standing) - 1; i >= 0; i-- { // it comes right after the first
		if s := &l.standing[i]; s.who == who {
			if len(s.packets) == mostPackets {
				return Ignore
			}
			s.packets = append(s.packets, keep())
			return Hold
		}
	}
	return Ignore
}

// fate is what was said to somebody, if that is known.
func (l *Line[K, P]) fate(now time.Duration, who K) (f fate, known bool) {
	if l.fates[0] == nil || now > l.turned+remember || len(l.fates[0]) >= mostFates {
		l.fates[0], l.fates[1] = make(map[K]fate), l.fates[0]
		l.turned = now
	}
	if f, known = l.fates[0][who]; !known {
		f, known = l.fates[1][who]
	}
	return f, known
}

// Next takes who is the next to begin out of the line, if it is time.
func (l *Line[K, P]) Next(now time.Duration) (packets []P, ok bool) {
	if len(l.standing) == 0 || !l.Turns.Take(now) {
		return nil, false
	}
	first := l.standing[0]
	l.standing[0] = standing[K, P]{}
	if l.standing = l.standing[1:]; len(l.standing) == 0 {
		l.standing = nil
	}
	if now-first.since > awhile {
		l.waited++
	}
	l.fate(now, first.who) // makes room
	l.fates[0][first.who] = fate{Pass, now}
	return first.packets, true
}

// Waited is how many have begun since it was asked last that had stood for a while.
func (l *Line[K, P]) Waited() int {
	n := l.waited
	l.waited = 0
	return n
}

// Due is how long it takes until it is somebody's turn; ok is false if nobody
// stands in line.
func (l *Line[K, P]) Due(now time.Duration) (in time.Duration, ok bool) {
	if len(l.standing) == 0 {
		return 0, false
	}
	return l.Turns.Due(now, 1), true
}
