package voice

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

const (
	// Every is how much audio one packet carries.
	Every = 20 * time.Millisecond
	// Align is how many packets the longest bundle has. A voice falls silent
	// only after a whole one (docs/wire.md, section 14.4).
	Align = 6
	// queue is how many packets a subscription may lag behind: what does not go
	// out within a second is lost, and counted.
	queue = 50
	// remembered is for how many packets Sent knows the time: twenty seconds.
	remembered = 1024
)

// A Voice is one broadcast. It is silent until Talk, and all of its methods may
// be called from anywhere, but only one Talk at a time.
type Voice struct {
	// Set by New, constant afterwards.
	path  protocol.Path
	hopID uint64
	opus  []byte

	next    atomic.Uint64 // sequence of the packet to come
	dropped atomic.Uint64
	stamps  [remembered]atomic.Int64 // when the last packets left, µs since 1970

	mu   sync.Mutex
	subs map[chan packetAt]struct{}
}

// packetAt is a packet that is to go out.
type packetAt struct{ sequence, timestamp uint64 }

// New makes a voice at a path, with packets of so many bytes, from [MinBytes] to
// [MaxBytes].
func New(path protocol.Path, hopID uint64, bytes int) (*Voice, error) {
	if bytes < MinBytes || bytes > MaxBytes {
		return nil, fmt.Errorf("voice: packets of %d bytes: want %d to %d", bytes, MinBytes, MaxBytes)
	}
	return &Voice{path: path, hopID: hopID, opus: Packet(bytes), subs: make(map[chan packetAt]struct{})}, nil
}

// Path is the path of the broadcast.
func (v *Voice) Path() protocol.Path { return v.path }

// Next is the sequence of the packet to come.
func (v *Voice) Next() uint64 { return v.next.Load() }

// Sent is when a packet left, for one of the last thousand.
func (v *Voice) Sent(sequence uint64) time.Time {
	return time.UnixMicro(v.stamps[sequence%remembered].Load())
}

// Dropped is how many packets a subscription did not take within a second.
func (v *Voice) Dropped() uint64 { return v.dropped.Load() }

// Talk sends that many packets, rounded up to whole bundles, one every 20 ms by
// absolute deadlines. It returns early, after a whole bundle, when ctx ends. Late
// is how far behind its time each packet went out.
func (v *Voice) Talk(ctx context.Context, packets int) (late []time.Duration) {
	packets = (packets + Align - 1) / Align * Align
	late = make([]time.Duration, 0, min(packets, 1<<12))
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range packets {
		if i%Align == 0 && ctx.Err() != nil {
			break
		}
		due := start.Add(time.Duration(i) * Every)
		timer.Reset(time.Until(due))
		<-timer.C
		now := time.Now()
		late = append(late, now.Sub(due))
		v.emit(now)
	}
	return late
}

// emit sends one packet to every subscription. Its timestamp is the wall clock,
// so that any process of this machine can tell how long it took.
func (v *Voice) emit(now time.Time) {
	p := packetAt{sequence: v.next.Load(), timestamp: uint64(max(now.UnixMicro(), 0))}
	v.stamps[p.sequence%remembered].Store(now.UnixMicro())
	v.next.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	for sub := range v.subs {
		select {
		case sub <- p:
		default:
			v.dropped.Add(1)
		}
	}
}

func (v *Voice) join() chan packetAt {
	sub := make(chan packetAt, queue)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.subs[sub] = struct{}{}
	return sub
}

func (v *Voice) leave(sub chan packetAt) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.subs, sub)
}
