package deliver

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A notice is a document that changes.
type notice struct {
	mu      sync.Mutex
	text    string
	changed chan struct{}
}

func newNotice(text string) *notice { return &notice{text: text, changed: make(chan struct{})} }

func (n *notice) read() ([]byte, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return []byte(n.text), n.changed
}

func (n *notice) write(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = text
	close(n.changed)
	n.changed = make(chan struct{})
}

func (s *seat) readRelays(t *testing.T, sink session.Sink) *session.Subscription {
	t.Helper()
	sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: TickBroadcast, Track: RelaysTrack}, sink)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// A peer that allows no stream for a while gets the list when it does.
func TestRelaysWaitForStreamCredit(t *testing.T) {
	var open atomic.Bool
	var refused atomic.Int32
	open.Store(true)
	allow := func() bool {
		if !open.Load() {
			refused.Add(1)
		}
		return open.Load()
	}
	n := newNotice("0")
	s := newHall(t).enter(sitting{
		cfg:  Config{Relays: n.read},
		wrap: func(c session.Conn) session.Conn { return &miser{c, allow} },
	})
	e := &ear{t: t, came: make(chan struct{}, 1)}
	for i := range uint64(2) {
		open.Store(false)
		tried := refused.Load()
		if i == 0 {
			s.readRelays(t, e)
		} else {
			n.write(fmt.Sprint(i))
		}
		eventually(t, "it is tried", func() bool { return refused.Load() > tried })
		open.Store(true)
		e.until("the list", func() bool { return len(e.frames[i]) == 1 && e.frames[i][0] == fmt.Sprint(i) })
	}
}

// A stopped is a connection whose streams are closed only after the peer has stopped
// them.
type stopped struct{ session.Conn }

func (c stopped) OpenUniStream() (session.SendStream, error) {
	s, err := c.Conn.OpenUniStream()
	return stoppedStream{s}, err
}

type stoppedStream struct{ session.SendStream }

func (s stoppedStream) Close() error {
	select {
	case <-s.Context().Done():
	case <-time.After(200 * time.Millisecond): // SETUP is read to its end
	}
	return s.SendStream.Close()
}

// A glance reads no more of a group than its frame.
type glance struct{ frames chan string }

func (g glance) Datagram(uint64, protocol.Frame) {}

func (g glance) Group(_ context.Context, in *session.GroupReader) {
	if f, err := in.Next(); err == nil {
		in.Cancel(protocol.CodeCancel)
		g.frames <- string(f.Payload)
	}
}

// Who has read all it wants of one list, and says so before the relay has ended the
// stream, gets the next.
func TestRelaysGoOnBehindAStoppedGroup(t *testing.T) {
	for _, transport := range []string{"quic", "webtransport"} {
		t.Run(transport, func(t *testing.T) {
			n := newNotice("0")
			s := newHall(t).enter(sitting{
				transport: transport,
				cfg:       Config{Relays: n.read},
				wrap:      func(c session.Conn) session.Conn { return stopped{c} },
			})
			g := glance{make(chan string, 8)}
			sub := s.readRelays(t, g)
			for i := range 3 {
				if i > 0 {
					n.write(fmt.Sprint(i))
				}
				select {
				case got := <-g.frames:
					if got != fmt.Sprint(i) {
						t.Fatalf("list %q, want %d", got, i)
					}
				case <-sub.Done():
					t.Fatalf("list %d: %v", i, sub.Err())
				case <-time.After(longEnough):
					t.Fatalf("list %d does not come", i)
				}
			}
		})
	}
}
