package wire

import (
	"container/heap"
	"sync"
	"time"
)

// maxLine is how many packets may be under way to a host: a second of what a
// machine like this can send at all. Further ones are lost.
const maxLine = 1 << 16

// A packet is under way.
type packet struct {
	due   time.Time
	order uint64 // among those due at the same moment
	bytes []byte
}

// A line holds the packets that are under way to a host.
type line struct {
	wake chan struct{} // something is due sooner than before

	mu    sync.Mutex
	heap  packets
	order uint64
	free  [][]byte // to be used again
}

func newLine() *line { return &line{wake: make(chan struct{}, 1)} }

// put takes a copy of a packet. It reports false if the line is full.
func (l *line) put(b []byte, due time.Time) bool {
	l.mu.Lock()
	if len(l.heap) >= maxLine {
		l.mu.Unlock()
		return false
	}
	var held []byte
	if n := len(l.free); n > 0 {
		held, l.free = l.free[n-1], l.free[:n-1]
	}
	p := packet{due: due, order: l.order, bytes: append(held[:0], b...)}
	l.order++
	heap.Push(&l.heap, p)
	first := l.heap[0].order == p.order
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// take appends the packets that are due to dst, in order. If others are under
// way, more is true and next is when the first of them is due.
func (l *line) take(now time.Time, dst [][]byte) (due [][]byte, next time.Time, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.heap) > 0 {
		if first := l.heap[0].due; first.After(now) {
			return dst, first, true
		}
		dst = append(dst, heap.Pop(&l.heap).(packet).bytes)
	}
	return dst, time.Time{}, false
}

// give takes back what take has given out.
func (l *line) give(used [][]byte) {
	const keep = 256
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range used {
		if len(l.free) < keep {
			l.free = append(l.free, b)
		}
	}
}

// packets are a heap, the next one on top.
type packets []packet

func (p packets) Len() int { return len(p) }
func (p packets) Less(i, j int) bool {
	if c := p[i].due.Compare(p[j].due); c != 0 {
		return c < 0
	}
	return p[i].order < p[j].order
}
func (p packets) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *packets) Push(x any)   { *p = append(*p, x.(packet)) }
func (p *packets) Pop() any {
	old := *p
	x := old[len(old)-1]
	old[len(old)-1] = packet{}
	*p = old[:len(old)-1]
	return x
}
