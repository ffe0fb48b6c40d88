package relay_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
)

func (m *member) lobby(query string) (l api.Lobby) {
	m.t.Helper()
	status, body := m.page("/v1/rooms/town/relays?" + query)
	if err := json.Unmarshal([]byte(body), &l); status != 200 || err != nil {
		m.t.Fatalf("%d %s: %v", status, body, err)
	}
	return l
}

// Those who are sent to a relay at once count although it does not know of them
// yet, so that an audience which arrives in one second does not fall upon one relay.
func TestLobbyCountsThoseUnderWay(t *testing.T) {
	var relays []*member
	var seed []string
	for i := range 3 {
		relays = append(relays, join(t, relay.Config{Name: fmt.Sprintf("relay-%d", i), Zone: "par", Capacity: 10}, seed...))
		seed = []string{relays[0].GossipAddr()}
	}
	eventually(t, "all know all", func() bool { return relays[0].count("ready") == 3 })
	first := make(map[string]int)
	for range 24 { // eight each
		first[relays[0].lobby("purpose=listen&zone=par").Relays[0].Name]++
	}
	if len(first) != 3 {
		t.Errorf("sent to %v", first)
	}
	for range 100 {
		if l := relays[0].lobby("purpose=listen&zone=par"); len(l.Relays) == 0 {
			t.Fatal("nobody is let in because many have asked")
		}
	}
}

// Speakers are sent to the roots that a live room has.
func TestLobbySendsSpeakersToTheRoots(t *testing.T) {
	relays := network(t, 4)
	v := newVoice(t, "town/ada")
	v.publish(relays[0].URL(), client.Options{})
	eventually(t, "the room has two roots", func() bool {
		var tree api.Tree
		if relays[0].get("/v1/tree?room=town", &tree) != 200 || tree.Blue == "" {
			return false
		}
		l := relays[0].lobby("purpose=speak&n=2")
		return len(l.Relays) == 2 && l.Relays[0].Name == tree.Red && l.Relays[1].Name == tree.Blue
	})
	// A relay that the directory would rather have does not change that.
	var tree api.Tree
	relays[0].get("/v1/tree?room=town", &tree)
	for i := 4; i < 7; i++ {
		relays = append(relays, join(t, relay.Config{Name: fmt.Sprintf("relay-%d", i), Zone: fmt.Sprintf("z%d", i)}, relays[0].GossipAddr()))
	}
	eventually(t, "the newcomers are known", func() bool { return relays[0].count("ready") == 7 })
	l := relays[0].lobby("purpose=speak&n=2")
	if l.Relays[0].Name != tree.Red || l.Relays[1].Name != tree.Blue {
		t.Errorf("sent to %s and %s, roots are %s and %s", l.Relays[0].Name, l.Relays[1].Name, tree.Red, tree.Blue)
	}
}
