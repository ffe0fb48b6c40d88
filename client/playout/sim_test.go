package playout

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// An arrival is one frame on its way to the listener.
type arrival struct {
	at       time.Duration
	seq      uint64
	spoken   time.Duration // its timestamp
	repaired bool
}

// A talk is what a speaker says: a sequence's place in time.
type talk struct {
	frames []uint64
	spoken map[uint64]time.Duration
}

// say is n frames from sequence first on, the first spoken at from.
func say(first uint64, n int, from time.Duration) talk {
	t := talk{spoken: map[uint64]time.Duration{}}
	return t.then(first, n, from)
}

func (t talk) then(first uint64, n int, from time.Duration) talk {
	for i := range uint64(n) {
		t.frames = append(t.frames, first+i)
		t.spoken[first+i] = from + time.Duration(i)*Frame
	}
	return t
}

// sent is how the talk arrives when each frame takes transit from the moment
// it was spoken; a negative transit loses it.
func (t talk) sent(transit func(seq uint64) time.Duration) []arrival {
	var as []arrival
	for _, seq := range t.frames {
		if d := transit(seq); d >= 0 {
			as = append(as, arrival{at: t.spoken[seq] + d, seq: seq, spoken: t.spoken[seq]})
		}
	}
	return as
}

// bundled is how it arrives in packets of k frames, of which each comes after
// its last frame, as soon as possible. Bundles for which lost is true do not.
func (t talk) bundled(k uint64, lost func(bundle uint64) bool) []arrival {
	var as []arrival
	for _, seq := range t.frames {
		last := seq/k*k + k - 1
		if lost == nil || !lost(seq/k) {
			as = append(as, arrival{at: t.spoken[last], seq: seq, spoken: t.spoken[seq]})
		}
	}
	return as
}

// A scene plays arrivals to a buffer and writes down what it gave out.
type scene struct {
	t         testing.TB // nil: the caller checks
	cfg       Config
	arrivals  []arrival
	roundTrip time.Duration        // of a FETCH; 0: nobody fetches
	answer    func() time.Duration // what it takes this time, negative for lost; nil: a round trip
	talk      talk                 // what can be fetched
	until     time.Duration        // when to stop
	end       uint64               // given to End after the last of them, if set

	buffer  *Buffer
	pushed  uint64
	fetched []uint64
	blocks  []Slot
}

func (s *scene) run() *scene {
	s.buffer = NewBuffer(s.cfg)
	fresh := slices.Clone(s.arrivals)
	slices.SortStableFunc(fresh, byArrival)
	last := time.Duration(0)
	if len(fresh) > 0 {
		last = fresh[len(fresh)-1].at
	}
	var answers []arrival
	for now := time.Duration(0); now <= s.until; now += Frame {
		for {
			a, ok := earliest(&fresh, &answers, now)
			if !ok {
				break
			}
			s.push(a)
			answers = append(answers, s.fetch(a.at)...)
		}
		if s.end > 0 && len(s.arrivals) > 0 && now >= last {
			s.buffer.End(s.end, now)
		}
		answers = append(answers, s.fetch(now)...)
		slot := s.buffer.Pop(now)
		slot.Packet, slot.Next = slices.Clone(slot.Packet), slices.Clone(slot.Next)
		s.check(slot)
		s.blocks = append(s.blocks, slot)
		if slot.Kind == Ended {
			break
		}
	}
	return s
}

func byArrival(a, b arrival) int { return int(a.at - b.at) }

// earliest takes the next arrival not after now from one of two queues.
func earliest(fresh, answers *[]arrival, now time.Duration) (a arrival, ok bool) {
	slices.SortStableFunc(*answers, byArrival)
	queue := fresh
	if len(*fresh) == 0 || len(*answers) > 0 && (*answers)[0].at < (*fresh)[0].at {
		queue = answers
	}
	if len(*queue) == 0 || (*queue)[0].at > now {
		return arrival{}, false
	}
	a, *queue = (*queue)[0], (*queue)[1:]
	return a, true
}

func (s *scene) push(a arrival) {
	s.pushed++
	if a.repaired {
		s.buffer.PushRepaired(a.seq, micros(a.spoken), packetOf(a.seq), a.at)
	} else {
		s.buffer.Push(a.seq, micros(a.spoken), packetOf(a.seq), a.at)
	}
}

func (s *scene) fetch(now time.Duration) (answers []arrival) {
	if s.roundTrip == 0 {
		return nil
	}
	for _, seq := range s.buffer.Holes(now, s.roundTrip, nil) {
		s.fetched = append(s.fetched, seq)
		takes := s.roundTrip
		if s.answer != nil {
			takes = s.answer()
		}
		if spoken, ok := s.talk.spoken[seq]; ok && takes >= 0 {
			answers = append(answers, arrival{at: now + takes, seq: seq, spoken: spoken, repaired: true})
		}
	}
	return answers
}

// check fails if a packet is not the one of its sequence.
func (s *scene) check(slot Slot) {
	if s.t == nil {
		return
	}
	s.t.Helper()
	if slot.Kind == Play && sequenceOf(slot.Packet) != slot.Sequence {
		s.t.Errorf("sequence %d has the packet of %d", slot.Sequence, sequenceOf(slot.Packet))
	}
	if slot.Next != nil && sequenceOf(slot.Next) != slot.Sequence+1 {
		s.t.Errorf("lost %d is to be made of %d", slot.Sequence, sequenceOf(slot.Next))
	}
}

// transcript is the blocks, a letter each, with how often it comes in a row:
// P played, R played after repair, L lost, F lost but in the next packet's
// FEC, S starved, . silence, E ended.
func (s *scene) transcript() string {
	var letters []byte
	for _, slot := range s.blocks {
		letters = append(letters, letter(slot))
	}
	var parts []string
	for len(letters) > 0 {
		n := 1
		for n < len(letters) && letters[n] == letters[0] {
			n++
		}
		parts = append(parts, fmt.Sprintf("%d%c", n, letters[0]))
		letters = letters[n:]
	}
	return strings.Join(parts, " ")
}

func letter(s Slot) byte {
	switch {
	case s.Kind == Play && s.Repaired:
		return 'R'
	case s.Kind == Play:
		return 'P'
	case s.Kind == Lost && s.Next != nil:
		return 'F'
	case s.Kind == Lost:
		return 'L'
	case s.Kind == Starved:
		return 'S'
	case s.Kind == Silence:
		return '.'
	}
	return 'E'
}

// epoch is what the speaker's clock says when the listener's says 0.
const epoch = 1_700_000_000_000_000

func micros(spoken time.Duration) uint64 { return uint64(epoch + spoken.Microseconds()) }

func packetOf(seq uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0xfc}, seq) }

func sequenceOf(packet []byte) uint64 { return binary.BigEndian.Uint64(packet[1:]) }
