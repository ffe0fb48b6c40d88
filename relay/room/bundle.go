package room

import (
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// packetTime is the length of a source group; slots of a bundle are this apart.
const packetTime = 20 * time.Millisecond

// A packer gathers the packets of a source track into bundles: group n of the
// derived track is the source groups size·n … size·n + size − 1 (docs/wire.md,
// derived tracks). It is plain arithmetic on what it is given.
type packer struct {
	size int
	any  bool
	open []openBundle // few, in order of their first packet
	done uint64       // bundles below are finished; a late packet does not reopen them
}

type openBundle struct {
	number  uint64
	packets [][]byte
	have    int
	base    uint64 // timestamp of the first slot, µs
	due     time.Time
}

// maxOpen is how many bundles may be open at once: more means that the source
// skips about, and the oldest goes out as it is.
const maxOpen = 4

// hold is how long after its first packet a bundle waits for its last: until
// that is due, and 40 ms for one that was lost on one way and comes by another.
func (p *packer) hold() time.Duration {
	return time.Duration(p.size-1)*packetTime + 40*time.Millisecond
}

// add takes a packet and returns the bundles that are finished by it.
func (p *packer) add(sequence, timestamp uint64, opus []byte, now time.Time) []openBundle {
	number, slot := sequence/uint64(p.size), int(sequence%uint64(p.size))
	if !p.any {
		// The bundle this relay came in the middle of is not its to make: what it
		// never asked for is not lost.
		p.any = true
		p.done = (sequence + uint64(p.size) - 1) / uint64(p.size)
	}
	if number < p.done {
		return nil
	}
	b := p.find(number)
	if b == nil {
		p.open = append(p.open, openBundle{
			number:  number,
			packets: make([][]byte, p.size),
			base:    slotZero(timestamp, slot),
			due:     now.Add(p.hold()),
		})
		b = &p.open[len(p.open)-1]
	}
	if b.packets[slot] != nil {
		return nil
	}
	b.packets[slot] = opus
	b.have++
	switch {
	case b.have == p.size:
		return p.finish(number)
	case len(p.open) > maxOpen:
		return p.finish(p.open[0].number)
	}
	return nil
}

// slotZero is the timestamp of a bundle's first slot, from any of its packets.
func slotZero(timestamp uint64, slot int) uint64 {
	ahead := uint64(slot) * uint64(packetTime/time.Microsecond)
	if timestamp < ahead {
		return 0
	}
	return timestamp - ahead
}

func (p *packer) find(number uint64) *openBundle {
	for i := range p.open {
		if p.open[i].number == number {
			return &p.open[i]
		}
	}
	return nil
}

// finish closes the bundle and every older one: a listener should not get a
// bundle after its successor when both are there.
func (p *packer) finish(number uint64) []openBundle {
	var out, rest []openBundle
	for _, b := range p.open {
		if b.number <= number {
			out = insertByNumber(out, b)
		} else {
			rest = append(rest, b)
		}
	}
	p.open = rest
	p.done = max(p.done, number+1)
	return out
}

func insertByNumber(list []openBundle, b openBundle) []openBundle {
	i := len(list)
	for i > 0 && list[i-1].number > b.number {
		i--
	}
	list = append(list, openBundle{})
	copy(list[i+1:], list[i:])
	list[i] = b
	return list
}

// expire returns the bundles that have waited long enough, and when to ask
// again; zero if nothing waits.
func (p *packer) expire(now time.Time) (out []openBundle, next time.Time) {
	for _, b := range append([]openBundle(nil), p.open...) {
		if !now.Before(b.due) && p.find(b.number) != nil {
			out = append(out, p.finish(b.number)...)
		}
	}
	for _, b := range p.open {
		if next.IsZero() || b.due.Before(next) {
			next = b.due
		}
	}
	return out, next
}

// group makes the bundle's group.
func (b openBundle) group(now time.Time) *Group {
	size := 0
	for _, packet := range b.packets {
		size += 2 + len(packet)
	}
	payload := protocol.AppendBundle(make([]byte, 0, size), b.packets)
	return NewWhole(b.number, protocol.Frame{Timestamp: b.base, Payload: payload}, now)
}
