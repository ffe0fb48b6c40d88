package room

import (
	"cmp"
	"slices"
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
	over []uint64     // finished ones from done on
}

type openBundle struct {
	number  uint64
	packets [][]byte
	have    int
	base    uint64 // timestamp of the first slot, µs
	due     time.Time
	hole    bool // a newer packet has come than one that is missing
}

const (
	// maxOpen is how many bundles may be open at once: more means that the source
	// skips about, and the oldest goes out as it is.
	maxOpen = 8
	// repairHold is how long a bundle waits for a packet that has been lost on
	// one way, and is fetched or comes by another. What is left of the usual
	// playout delay of 200 ms is enough for the way to the listener.
	repairHold = 80 * time.Millisecond
	// stallHold is how much later than due a packet may be that nothing has
	// overtaken: it is late, not lost, and a bundle without it would have every
	// listener ask for it.
	stallHold = 120 * time.Millisecond
)

// add takes a packet and returns the bundles that are finished by it.
func (p *packer) add(sequence, timestamp uint64, opus []byte, now time.Time) []openBundle {
	number, slot := sequence/uint64(p.size), int(sequence%uint64(p.size))
	if !p.any {
		// The bundle this relay came in the middle of is not its to make: what it
		// never asked for is not lost.
		p.any = true
		p.done = (sequence + uint64(p.size) - 1) / uint64(p.size)
	}
	p.expose(number, slot, now)
	if number < p.done || slices.Contains(p.over, number) {
		return nil
	}
	b := p.find(number)
	if b == nil {
		p.open = append(p.open, openBundle{
			number:  number,
			packets: make([][]byte, p.size),
			base:    slotZero(timestamp, slot),
			due:     now.Add(time.Duration(p.size-1)*packetTime + stallHold),
		})
		b = &p.open[len(p.open)-1]
		p.expose(number, slot, now) // its own first slots may be the missing ones
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

// expose marks the open bundles that miss a packet older than the one that has
// come: it is lost, and the time for its repair runs.
func (p *packer) expose(number uint64, slot int, now time.Time) {
	for i := range p.open {
		b := &p.open[i]
		if b.hole || b.number > number {
			continue
		}
		older := b.packets
		if b.number == number {
			older = b.packets[:slot]
		}
		if slices.ContainsFunc(older, func(packet []byte) bool { return packet == nil }) {
			b.hole = true
			if due := now.Add(repairHold); due.Before(b.due) {
				b.due = due
			}
		}
	}
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

// finish takes a bundle out.
func (p *packer) finish(number uint64) []openBundle {
	i := slices.IndexFunc(p.open, func(b openBundle) bool { return b.number == number })
	if i < 0 {
		return nil
	}
	out := []openBundle{p.open[i]}
	p.open = slices.Delete(p.open, i, i+1)
	p.over = append(p.over, number)
	p.forget()
	return out
}

// forget raises done over what is finished, so that few numbers are remembered.
// A number that never came is given up once maxOpen newer ones are finished.
func (p *packer) forget() {
	slices.Sort(p.over)
	for len(p.over) > 0 && (p.over[0] <= p.done || len(p.over) > maxOpen) {
		p.done = max(p.done, p.over[0]+1)
		p.over = p.over[1:]
	}
}

// expire returns the bundles that have waited long enough, oldest first, and when
// to ask again; zero if nothing waits.
func (p *packer) expire(now time.Time) (out []openBundle, next time.Time) {
	for _, b := range slices.Clone(p.open) {
		if !now.Before(b.due) {
			out = append(out, p.finish(b.number)...)
		} else if next.IsZero() || b.due.Before(next) {
			next = b.due
		}
	}
	slices.SortFunc(out, func(a, b openBundle) int { return cmp.Compare(a.number, b.number) })
	return out, next
}

// rest takes every open bundle out, oldest first: the track is over.
func (p *packer) rest() []openBundle {
	out := p.open
	p.open = nil
	slices.SortFunc(out, func(a, b openBundle) int { return cmp.Compare(a.number, b.number) })
	return out
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
