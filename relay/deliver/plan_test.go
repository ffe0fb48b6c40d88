package deliver

import (
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A rulebook is a room's plan as it changes, and who follows it.
type rulebook struct {
	mu       sync.Mutex
	room     string
	plan     []byte
	replaced chan struct{}
	wants    []bool // each time it was said
	said     chan struct{}
	ended    chan struct{}
}

func (b *rulebook) Wants(wants bool) {
	b.mu.Lock()
	if n := len(b.wants); n == 0 || b.wants[n-1] != wants {
		b.wants = append(b.wants, wants)
	}
	b.mu.Unlock()
	select {
	case b.said <- struct{}{}:
	default:
	}
}

func (b *rulebook) Plan() ([]byte, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plan, b.replaced
}

func (b *rulebook) End() { close(b.ended) }

func (b *rulebook) write(plan string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan = []byte(plan)
	close(b.replaced)
	b.replaced = make(chan struct{})
}

func newRulebook() *rulebook {
	return &rulebook{replaced: make(chan struct{}), said: make(chan struct{}, 1), ended: make(chan struct{})}
}

// A relay that follows a room's plan gets each that replaces another, and may say
// at any time that it takes part.
func TestPlanIsFollowed(t *testing.T) {
	h, b := newHall(t), newRulebook()
	s := h.enter(sitting{cfg: Config{Relay: true, OnPlan: func(room string) Following { b.room = room; return b }}})
	e := &ear{t: t, came: make(chan struct{}, 1)}
	sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/rooms/town", Track: PlanTrack}, e)
	if err != nil {
		t.Fatal(err)
	}
	<-b.said // it follows, and there is no plan yet
	for i, plan := range []string{"first", "second"} {
		b.write(plan)
		e.until(plan, func() bool { return len(e.frames[uint64(i)]) == 1 && e.frames[uint64(i)][0] == plan })
	}
	if err := sub.Update(protocol.Delivery{Priority: 80}); err != nil {
		t.Fatal(err)
	}
	for wants := false; !wants; {
		select {
		case <-b.said:
		case <-time.After(longEnough):
			t.Fatal("it is not heard that the relay takes part")
		}
		b.mu.Lock()
		wants = b.wants[len(b.wants)-1]
		b.mu.Unlock()
	}
	sub.Close()
	<-b.ended
	if b.room != "town" || b.wants[0] || len(e.streams) != 2 {
		t.Errorf("room %q, it takes part: %v, %d groups", b.room, b.wants, len(e.streams))
	}
}

// Nobody but relays may, and of rooms alone.
func TestPlanIsForRelays(t *testing.T) {
	for name, path := range map[string]protocol.Path{"a client": ".stentor/rooms/town", "of no room": ".stentor/rooms"} {
		t.Run(name, func(t *testing.T) {
			s := newHall(t).enter(sitting{})
			sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: path, Track: PlanTrack}, &ear{t: t, came: make(chan struct{}, 1)})
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-sub.Done():
			case <-time.After(longEnough):
				t.Fatal("it is not refused")
			}
			if code := session.CodeOf(sub.Err()); code != protocol.CodeUnroutable {
				t.Errorf("refused with %v: %v", code, sub.Err())
			}
		})
	}
}
