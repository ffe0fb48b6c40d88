package relay_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
)

// TCP connections that come faster than the rate are closed at once, and the others
// are served.
func TestConnectionsAboveTheRate(t *testing.T) {
	const rate = 0.001
	r := start(t, relay.Config{JoinRate: rate})
	atOnce := int(admission.Burst(rate))
	addr := strings.TrimPrefix(r.URL(), "https://")
	served, closed := 0, 0
	for range atOnce + 10 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			closed++ // before this end knew of it
			continue
		}
		_ = c.SetDeadline(time.Now().Add(15 * time.Second))
		err = tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(within(t))
		var late net.Error
		switch {
		case err == nil:
			served++
		case errors.As(err, &late) && late.Timeout():
			t.Fatalf("neither served nor closed: %v", err)
		default:
			closed++
		}
		_ = c.Close()
	}
	if served != atOnce || closed != 10 {
		t.Errorf("%d served and %d closed, want %d and 10", served, closed, atOnce)
	}
}

// A relay that has little to spare asks clients to stand by without a session, also
// for the sake of the one that they would stand by at, and takes that back.
func TestStandbysAreAskedToStayCold(t *testing.T) {
	busy := join(t, relay.Config{Name: "busy", Zone: "a", Capacity: 4})
	idle := join(t, relay.Config{Name: "idle", Zone: "b"}, busy.GossipAddr())
	eventually(t, "they know each other", func() bool { return idle.count("ready") == 2 && busy.count("ready") == 2 })
	lists := func(m *member) (newest func() string) {
		e := newEar()
		s := dial(t, m.URL()+"/town", client.Options{Role: protocol.RoleSubscriber})
		if _, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: s.Path(".stentor/relay"), Track: "relays"}, e); err != nil {
			t.Fatal(err)
		}
		return func() string { return string(e.newest()) }
	}
	atBusy, atIdle := lists(busy), lists(idle)
	cold := func(list string) bool { return strings.Contains(list, `"cold":true`) }
	eventually(t, "both say where to go on", func() bool { return atBusy() != "" && atIdle() != "" })
	if cold(atBusy()) || cold(atIdle()) {
		t.Errorf("asked to stay cold at a quarter of the load: %s, %s", atBusy(), atIdle())
	}
	var sessions []*client.Session
	for range 2 { // three of four
		sessions = append(sessions, dial(t, busy.URL()+"/town", client.Options{Role: protocol.RoleSubscriber}))
	}
	eventually(t, "the busy one asks", func() bool { return cold(atBusy()) })
	eventually(t, "the idle one asks for its sake", func() bool { return cold(atIdle()) })
	for _, s := range sessions {
		s.Close()
	}
	eventually(t, "both take it back", func() bool { return !cold(atBusy()) && !cold(atIdle()) })
}
