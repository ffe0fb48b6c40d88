package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
)

// A relay that sends more than it should asks its newest listeners to go to an
// emptier one, and says so; newcomers are told of the load, offered long packets
// and sent elsewhere. Whoever stays goes on hearing.
func TestBusyRelaySendsTheNewestElsewhere(t *testing.T) {
	busy := join(t, relay.Config{Name: "busy", Egress: 20})
	join(t, relay.Config{Name: "idle"}, busy.GossipAddr())
	eventually(t, "they know each other", func() bool { return busy.count("ready") == 2 })
	v := newVoice(t, "town/ada")
	v.publish(busy.URL(), client.Options{})
	told := make([]chan string, 3)
	var ears []*ear
	for i := range told {
		told[i] = make(chan string, 8)
		s := dial(t, busy.URL(), client.Options{Role: protocol.RoleSubscriber, OnGoaway: func(uri string) { told[i] <- uri }})
		e, _ := subscribe(t, s, "town/ada", protocol.TrackAudio, protocol.Delivery{})
		ears = append(ears, e)
	}
	stop := make(chan struct{})
	talked := make(chan struct{})
	go func() {
		defer close(talked)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				v.speak(1)
			case <-stop:
				return
			}
		}
	}()
	defer func() { close(stop); <-talked }()

	select {
	case uri := <-told[2]:
		if !strings.HasSuffix(uri, "#load") || strings.HasPrefix(uri, busy.URL()) {
			t.Errorf("asked to go to %q", uri)
		}
	case <-told[0]:
		t.Error("the oldest was asked first")
	case <-time.After(30 * time.Second):
		t.Fatal("nobody is asked to leave")
	}
	ears[0].wait(t, 1)
	ears[2].wait(t, 1) // it may stay
	eventually(t, "newcomers are told", func() bool {
		s := dial(t, busy.URL(), client.Options{Role: protocol.RoleSubscriber})
		setup, _ := s.Peer()
		return setup.HasLoad && setup.Load >= 95 && setup.Packet == 120*time.Millisecond
	})
	eventually(t, "the lobby sends elsewhere", func() bool {
		l := busy.lobby("purpose=listen")
		return len(l.Relays) > 0 && l.Relays[0].Name == "idle"
	})
}
